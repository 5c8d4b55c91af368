// The npm package `@clockworklabs/spacetimedb-sdk`, last of its 1.x line, as a testee for values. It has neither a codec for
// types nor references: types are read here, and references are replaced by what they mean, as its generated code does. A
// type that refers to itself cannot be said.
import { readFileSync } from 'node:fs';
import { AlgebraicType, BinaryReader, BinaryWriter, ProductTypeElement, SumTypeVariant } from '@clockworklabs/spacetimedb-sdk';
import { bytesOf, converter, decode, encode, serve, Skip } from './common.mjs';

const home = './node_modules/@clockworklabs/spacetimedb-sdk/package.json';
const { version } = JSON.parse(readFileSync(new URL(home, import.meta.url)));

const PRIMITIVES = 'String Bool I8 U8 I16 U16 I32 U32 I64 U64 I128 U128 I256 U256 F32 F64'.split(' '); // from tag 4

function readTypes(hex, many) {
  const view = new DataView(bytesOf(hex).buffer);
  let at = 0;
  const byte = () => view.getUint8(at++);
  const word = () => view.getUint32((at += 4) - 4, true);
  const list = (item) => Array.from({ length: word() }, item);
  const name = () => {
    if (byte() === 1) return undefined;
    const length = word();
    at += length;
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array(view.buffer, at - length, length));
  };
  const part = () => ({ name: name(), algebraicType: type() });
  function type() {
    const tag = byte();
    if (tag >= 4) return { tag: PRIMITIVES[tag - 4] };
    if (tag === 0) return { tag: 'Ref', value: word() };
    if (tag === 1) return { tag: 'Sum', value: { variants: list(part) } };
    return tag === 2 ? { tag: 'Product', value: { elements: list(part) } } : { tag: 'Array', value: type() };
  }
  return many ? list(type) : type();
}

// `done` is what references were replaced by, `within` those that are being replaced.
function said(type, types, done = new Map(), within = []) {
  const inner = (part) => said(part.algebraicType, types, done, within);
  switch (type.tag) {
    case 'Ref':
      if (within.includes(type.value) || !(type.value in types)) throw new Skip('the package has no references');
      if (!done.has(type.value)) done.set(type.value, said(types[type.value], types, done, [...within, type.value]));
      return done.get(type.value);
    case 'Sum':
      return AlgebraicType.createSumType(type.value.variants.map((part) => new SumTypeVariant(part.name, inner(part))));
    case 'Product':
      return AlgebraicType.createProductType(type.value.elements.map((part) => new ProductTypeElement(part.name, inner(part))));
    case 'Array':
      return AlgebraicType.createArrayType(said(type.value, types, done, within));
    default:
      return AlgebraicType[`create${type.tag}Type`]();
  }
}

function values({ type: hex, typespace = '00000000' }) {
  const types = readTypes(typespace, true);
  const type = readTypes(hex, false);
  const own = said(type, types);
  return {
    type,
    json: converter({ types, results: false }),
    read: (reader) => own.deserialize(reader),
    write: (writer, value) => own.serialize(writer, value),
    reader: (bytes) => new BinaryReader(bytes),
    writer: () => new BinaryWriter(64),
  };
}

await serve('npm @clockworklabs/spacetimedb-sdk', version, {
  'value.decode': (request) => decode(request, values(request)),
  'value.encode': (request) => encode(request, values(request)),
});
