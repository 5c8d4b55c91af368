// The TypeScript SDK as a bench peer: one JSON request a line on stdin, one JSON answer a line on stdout.
//
// Rows go through `makeDeserializer`/`makeSerializer`, the closures the SDK's own client builds once per table, and one reader
// over the whole buffer, as its client reads a row list. Writing reuses one BinaryWriter, as its client does for arguments.
// Module definitions go through the SDK's RawModuleDef; the package doesn't export it, so it's bundled from the package's own source.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { AlgebraicType, BinaryReader, BinaryWriter } from 'spacetimedb';
import * as raw from './raw.bundle.mjs';

const WARM_UP_NS = 700e6;
const SAMPLE_NS = 20e6;

let job;
let sink; // what a pass made, so that no pass can be optimised away

const now = () => Number(process.hrtime.bigint());

const readType = (file) => raw.AlgebraicType.deserialize(new raw.BinaryReader(new Uint8Array(readFileSync(file))));

function rowJob(type, data) {
  const decodeRow = AlgebraicType.makeDeserializer(type);
  const encodeRow = AlgebraicType.makeSerializer(type);
  const reader = new BinaryReader(data);
  const writer = new BinaryWriter(data.length + 1024);
  return {
    decode() {
      reader.reset(data);
      const rows = [];
      while (reader.remaining > 0) rows.push(decodeRow(reader));
      return rows;
    },
    encode(rows) {
      writer.clear();
      for (const row of rows) encodeRow(writer, row);
      return writer.getBuffer();
    },
  };
}

function moduleJob(data) {
  const writer = new raw.BinaryWriter(data.length + 1024);
  return {
    decode: () => raw.RawModuleDef.deserialize(new raw.BinaryReader(data)),
    encode(value) {
      writer.clear();
      raw.RawModuleDef.serialize(writer, value);
      return writer.getBuffer();
    },
  };
}

// Passes are timed in batches of at least SAMPLE_NS, so that small jobs aren't all clock.
function samples(pass, units, budget) {
  const result = [];
  const end = now() + budget;
  do {
    let passes = 0;
    const start = now();
    let spent;
    do {
      sink = undefined;
      sink = pass();
      passes += 1;
      spent = now() - start;
    } while (spent < SAMPLE_NS);
    result.push(spent / passes / units);
  } while (now() < end);
  return result;
}

const operations = {
  load({ kind, type_file, data_file, units }) {
    const data = new Uint8Array(readFileSync(data_file));
    const codec =
      kind === 'module'
        ? moduleJob(data)
        : rowJob(readType(type_file), data);
    const value = codec.decode();
    const identical = Buffer.compare(codec.encode(value), data) === 0;
    const passes = { decode: () => codec.decode(), encode: () => codec.encode(value) };
    job = { passes, units };
    samples(passes.decode, units, WARM_UP_NS);
    samples(passes.encode, units, WARM_UP_NS);
    return { identical };
  },
  run({ direction, seconds }) {
    return { ns: samples(job.passes[direction], job.units, seconds * 1e9) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = operations[request.op](request);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
