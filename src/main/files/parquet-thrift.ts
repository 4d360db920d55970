/**
 * Reads structs of Thrift's compact protocol, in which Parquet keeps its footers and page headers. Files are not trusted: lengths and
 * nesting are bounded, and nothing is allocated for what the bytes only promise.
 */

/** A struct by field number. Integers beyond 2^53 lose their lowest bits, which no honest size has. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>
export type ThriftValue = boolean | number | Uint8Array | readonly ThriftValue[] | ThriftStruct

const MAX_DEPTH = 16
const MAX_VARINT_BYTES = 10
/** Values of one struct and all within, which bounds the memory they take; a struct weighs as much as several. */
const MAX_VALUES = 16_000_000
const STRUCT_WEIGHT = 8

/** A place in some bytes; every read checks that they are there. */
export class ByteCursor {
  private readonly view: DataView

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  byte(): number {
    const value = this.bytes[this.at]
    if (value === undefined) throw new Error('it ends within a value')
    this.at += 1
    return value
  }

  uint32(): number {
    const at = this.at
    this.take(4)
    return this.view.getUint32(at, true)
  }

  /** The next bytes, not copied. */
  take(length: number): Uint8Array {
    if (!(length >= 0 && length <= this.left)) throw new Error('a length in it reaches beyond its end')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /** Unsigned, least significant seven bits first. */
  varint(): number {
    let value = 0
    for (let n = 0; n < MAX_VARINT_BYTES; n++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * n)
      if (byte < 0x80) return value
    }
    throw new Error('a number in it has no end')
  }

  /** Signed: 0, -1, 1, -2, ... */
  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

class StructReader {
  private values = 0

  constructor(private readonly cursor: ByteCursor) {}

  struct(depth: number): ThriftStruct {
    if (depth > MAX_DEPTH) throw new Error('it is nested too deep')
    this.weigh(STRUCT_WEIGHT)
    const fields = new Map<number, ThriftValue>()
    for (let id = 0; ;) {
      const head = this.cursor.byte()
      const type = head & 0x0f
      if (type === 0) return fields
      id = head >> 4 === 0 ? this.cursor.zigzag() : id + (head >> 4)
      // A truth value as a field is its type.
      fields.set(id, type <= 2 ? type === 1 : this.value(type, depth))
    }
  }

  private value(type: number, depth: number): ThriftValue {
    this.weigh(1)
    switch (type) {
      case 1:
      case 2:
        return this.cursor.byte() === 1
      case 3:
        return (this.cursor.byte() << 24) >> 24
      case 4:
      case 5:
      case 6:
        return this.cursor.zigzag()
      case 7:
        return new DataView(Uint8Array.from(this.cursor.take(8)).buffer).getFloat64(0, true)
      case 8:
        return this.cursor.take(this.cursor.varint())
      case 9:
        return this.list(depth)
      case 12:
        return this.struct(depth + 1)
      default:
        throw new Error(`it has a value of the unknown type ${type}`)
    }
  }

  private weigh(values: number): void {
    this.values += values
    if (this.values > MAX_VALUES) throw new Error('it has too many values')
  }

  private list(depth: number): ThriftValue[] {
    if (depth > MAX_DEPTH) throw new Error('it is nested too deep')
    const head = this.cursor.byte()
    const length = head >> 4 === 15 ? this.cursor.varint() : head >> 4
    // Every element takes a byte at least.
    if (length > this.cursor.left) throw new Error('a list in it reaches beyond its end')
    const values: ThriftValue[] = []
    for (let n = 0; n < length; n++) values.push(this.value(head & 0x0f, depth + 1))
    return values
  }
}

/** The struct at the cursor, which is left behind it. @throws Error with what is wrong */
export const readStruct = (cursor: ByteCursor): ThriftStruct => new StructReader(cursor).struct(0)

/** A field that holds a whole number. */
export function numberOf(struct: ThriftStruct, id: number): number | null {
  const value = struct.get(id)
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null
}

/** A field that holds a struct. */
export function structOf(struct: ThriftStruct, id: number): ThriftStruct | null {
  const value = struct.get(id)
  return value instanceof Map ? value : null
}

/** A field that holds a list of structs. */
export function structsOf(struct: ThriftStruct, id: number): ThriftStruct[] {
  const value = struct.get(id)
  return Array.isArray(value) ? value.filter((one): one is ThriftStruct => one instanceof Map) : []
}
