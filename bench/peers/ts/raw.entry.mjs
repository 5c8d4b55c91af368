// What the package keeps to itself: the raw definition types, with the reader and writer of the same copy of its source.
export { AlgebraicType, RawModuleDef } from './node_modules/spacetimedb/src/lib/autogen/types.ts';
export { default as BinaryReader } from './node_modules/spacetimedb/src/lib/binary_reader.ts';
export { default as BinaryWriter } from './node_modules/spacetimedb/src/lib/binary_writer.ts';
