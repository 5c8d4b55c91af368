// The npm package `spacetimedb` as a testee. Values go through the closures that its client makes of a type; definitions
// through its RawModuleDef, which it does not export and which is therefore bundled from the source it ships.
import { readFileSync } from 'node:fs';
import { AlgebraicType, BinaryReader, BinaryWriter } from 'spacetimedb';
import { bytesOf, converter, decode, encode, parsed, serve, Skip } from './common.mjs';
import * as raw from './raw.bundle.mjs';

const { version } = JSON.parse(readFileSync(new URL('./node_modules/spacetimedb/package.json', import.meta.url)));

const codecs = new Map(); // what was made of a type, so that the package sees one object for it however often it is asked

function made(make, type, space) {
  try {
    return make(type, space);
  } catch (error) {
    throw error instanceof TypeError ? Object.assign(error, { kind: 'InvalidTypeRef' }) : error; // a reference without an entry
  }
}

function values({ type: hex, typespace = '00000000' }) {
  const key = `${hex} ${typespace}`;
  if (!codecs.has(key)) {
    const space = raw.Typespace.deserialize(new raw.BinaryReader(bytesOf(typespace)));
    const type = raw.AlgebraicType.deserialize(new raw.BinaryReader(bytesOf(hex)));
    codecs.set(key, {
      type,
      json: converter({ types: space.types }),
      read: made(AlgebraicType.makeDeserializer, type, space),
      write: made(AlgebraicType.makeSerializer, type, space),
      reader: (bytes) => new BinaryReader(bytes),
      writer: () => new BinaryWriter(64),
    });
  }
  return codecs.get(key);
}

const definitions = {
  type: raw.RawModuleDef.algebraicType,
  json: converter({ name: (own) => own.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase()), unit: '[]' }),
  read: (reader) => raw.RawModuleDef.deserialize(reader),
  write: (writer, value) => raw.RawModuleDef.serialize(writer, value),
  reader: (bytes) => new raw.BinaryReader(bytes),
  writer: () => new raw.BinaryWriter(64),
};

// The layouts of definitions that it has, by tag, and the releases that write these.
const LAYOUTS = [
  { name: 'V8BackCompat', version: 8, layout: '8', first: '0', last: '2.14.0' },
  { name: 'V9', version: 9, layout: '9e', first: '1.8.0', last: '2.14.0' },
  { name: 'V10', version: 10, layout: '10e', first: '2.8.0', last: '2.10.1' },
];

function layout(tag, release = '2.14.0') {
  const { name, first, last, ...known } = LAYOUTS[tag] ?? LAYOUTS[2];
  const within = (one, other) => one.localeCompare(other, 'en', { numeric: true }) <= 0;
  if (within(first, release) && within(release, last)) return known;
  throw new Skip(`${name} as of ${release}: it has that of ${first} to ${last}`);
}

await serve('npm spacetimedb', version, {
  'value.decode': (request) => decode(request, values(request)),
  'value.encode': (request) => encode(request, values(request)),
  'module.decode': (request) => ({ ...layout(bytesOf(request.bytes)[0], request.layout), ...decode(request, definitions) }),
  'module.encode': (request) => {
    layout(LAYOUTS.findIndex(({ name }) => name in parsed(request.json)), request.layout);
    return encode(request, definitions);
  },
});
