// What testees over npm packages share: the protocol, and SATS-JSON text as values of a package and back. The conversion goes
// by the rules that the packages have for what is an Option and what a Result, and checks nothing; all bytes are theirs.
import { createInterface } from 'node:readline';

const KINDS = [
  [/outside the bounds|Tried to read|Invalid typed array length|Start offset/, 'BufferLength'],
  [/couldn't find .* tag|unknown tag|reading 'algebraicType'/, 'InvalidTag'],
  [/call stack|array length|string length|allocation failed/, 'LimitExceeded'],
];

export class Skip extends Error {}

export const bytesOf = (hex) => new Uint8Array(Buffer.from(hex, 'hex'));
export const hexOf = (bytes) => Buffer.from(bytes).toString('hex');

// Numbers come as strings, so that none goes through a double; the type says which strings are numbers.
export const parsed = (text) =>
  JSON.parse(text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token[0] === '"' ? token : `"${token}"`)));

const named = (...names) => (variants) => variants.length === 2 && names.every((name, i) => variants[i].name === name);
const isOption = named('some', 'none');

// `types` are what references mean, `name` gives a field's name in JSON, `unit` is the JSON of a product without fields, and
// `results` says that the package has `{ok: ..}` or `{err: ..}` for a Result.
export function converter({ types = [], name = (own) => own, unit = '{}', results = true }) {
  const isResult = results ? named('ok', 'err') : () => false;
  const resolved = (type) => {
    while (type.tag === 'Ref') type = types[type.value];
    return type;
  };
  const tagged = (variants, tag, payload) => {
    const text = toText(variants[tag].algebraicType, payload);
    return variants[tag].name === undefined ? `[${tag},${text}]` : `{${JSON.stringify(variants[tag].name)}:${text}}`;
  };

  function toText(of, value) {
    const type = resolved(of);
    const parts = type.value?.elements ?? type.value?.variants;
    if (type.tag === 'Sum' && isOption(parts)) return value === undefined ? `{"none":${unit}}` : tagged(parts, 0, value);
    if (value === undefined) return 'null';
    switch (type.tag) {
      case 'Product': {
        if (parts.length === 0) return unit;
        const texts = parts.map((part) => toText(part.algebraicType, value[part.name]));
        if (parts.some((part) => part.name === undefined)) return `[${texts.join(',')}]`;
        return `{${parts.map((part, i) => `${JSON.stringify(name(part.name))}:${texts[i]}`).join(',')}}`;
      }
      case 'Sum':
        if (isResult(parts)) return 'ok' in value ? tagged(parts, 0, value.ok) : tagged(parts, 1, value.err);
        return tagged(parts, parts.findIndex((part) => part.name === value.tag), value.value);
      case 'Array':
        if (resolved(type.value).tag === 'U8') return JSON.stringify(hexOf(value));
        return `[${Array.from(value, (item) => toText(type.value, item)).join(',')}]`;
      case 'F32':
      case 'F64':
        if (!Number.isFinite(value)) return 'null';
        return Object.is(value, -0) ? '-0.0' : String(value);
      case 'I256':
      case 'U256':
        return `"${value < 0n ? '-' : ''}0x${(value < 0n ? -value : value).toString(16)}"`;
      case 'String':
        return JSON.stringify(value);
      default: // an object or no text here is what the package took for a value of another type
        return typeof value === 'object' ? 'null' : String(value) || 'null';
    }
  }

  function fromJson(of, json) {
    const type = resolved(of);
    const parts = type.value?.elements ?? type.value?.variants;
    switch (type.tag) {
      case 'Product': {
        const value = {};
        parts.forEach((part, i) => {
          value[part.name] = fromJson(part.algebraicType, Array.isArray(json) ? json[i] : json[name(part.name)]);
        });
        return value;
      }
      case 'Sum': {
        const [key, payload] = Array.isArray(json) ? json : Object.entries(json)[0];
        const part = /^\d+$/.test(key) ? parts[key] : parts.find((one) => one.name === key);
        if (isOption(parts) && part === parts[1]) return undefined;
        const value = fromJson(part.algebraicType, payload);
        if (isOption(parts)) return value;
        return isResult(parts) ? { [part.name]: value } : { tag: part.name, value };
      }
      case 'Array':
        if (resolved(type.value).tag === 'U8') return typeof json === 'string' ? bytesOf(json) : Uint8Array.from(json, Number);
        return json.map((item) => fromJson(type.value, item));
      case 'I256':
      case 'U256':
        return json[0] === '-' ? -BigInt(json.slice(1)) : BigInt(json);
      case 'String':
      case 'Bool':
        return json;
      default:
        return /64|128/.test(type.tag) && type.tag !== 'F64' ? BigInt(json) : Number(json);
    }
  }

  return { toText, fromJson };
}

// A codec is `{type, json, read, write, reader, writer}`: the type, its converter, and the package's own parts. What the
// package decodes is "ok" even if it cannot encode it again; only bytes left over are this file's to refuse.
export function decode({ bytes: hex, trailing }, { type, json, read, write, reader: open, writer: create }) {
  const bytes = bytesOf(hex);
  const reader = open(bytes);
  let value;
  try {
    value = read(reader);
  } catch (error) {
    const tag = /couldn't find|reading 'algebraicType'/.test(error) ? 1 : 0; // thrown after the tag, whose offset it is
    throw Object.assign(typeof error === 'string' ? new Error(error) : error, { offset: reader.offset - tag });
  }
  const unread = bytes.length - reader.offset;
  if (unread > 0 && trailing !== 'allow') {
    throw Object.assign(new Error(`${unread} bytes left over`), { kind: 'TrailingBytes', offset: reader.offset });
  }
  const reply = { json: json.toText(type, value), bytes: '', unread };
  try {
    const writer = create();
    write(writer, value);
    reply.bytes = hexOf(writer.getBuffer());
  } catch (error) {
    reply.message = `decoded, but encoding it again fails: ${error}`;
  }
  return reply;
}

export function encode({ json: text }, { type, json, write, writer: create }) {
  const writer = create();
  write(writer, json.fromJson(type, parsed(text)));
  return { bytes: hexOf(writer.getBuffer()) };
}

function answer(operations, request) {
  const done = Object.hasOwn(operations, request.op) ? operations[request.op] : undefined;
  if (!done) return { skipped: `the package does nothing like ${request.op}` };
  try {
    return { ok: true, ...done(request) };
  } catch (error) {
    if (error instanceof Skip) return { skipped: error.message };
    const message = String(error);
    const kind = error.kind ?? KINDS.find(([pattern]) => pattern.test(message))?.[1] ?? 'Other';
    return { ok: false, error: kind, message, ...(error.offset === undefined ? {} : { offset: error.offset }) };
  }
}

export async function serve(name, version, given) {
  const operations = { hello: () => ({ name, version, protocol: 1, ops: Object.keys(operations) }), ...given };
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const label = 'id' in request ? { id: request.id } : {};
    process.stdout.write(JSON.stringify({ ...label, ...answer(operations, request) }) + '\n');
  }
}
