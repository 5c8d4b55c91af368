// What the package keeps to itself: its types of types and of module definitions, with the reader and writer they go with.
export { AlgebraicType, RawModuleDef, Typespace } from './node_modules/spacetimedb/src/lib/autogen/types.ts';
export { default as BinaryReader } from './node_modules/spacetimedb/src/lib/binary_reader.ts';
export { default as BinaryWriter } from './node_modules/spacetimedb/src/lib/binary_writer.ts';
