/** Writes Parquet files of one text column whose numbers are not true. */
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import type { CompressionCodec, Encoding } from 'hyparquet'

export type Forgery = {
  codec?: CompressionCodec
  encoding?: Encoding
  /** What the page header promises. */
  values?: number
  inflated?: number
  packed?: number
  /** What the footer promises. */
  rows?: bigint
  chunkBytes?: bigint
  chunkInflated?: bigint
  /** The page as it lies in the file. */
  body?: Uint8Array
}

/** A number as Thrift and Parquet write it: seven bits a byte, least significant first. */
export function varint(value: number): number[] {
  const bytes: number[] = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128)
  return [...bytes, value]
}

/** A page whose first `rows` rows all have a text (1) or none (0), and the bytes of its values. */
export function withLevels(rows: number, level: 0 | 1, values: readonly number[] = []): Uint8Array {
  const run = [...varint(2 * rows), level]
  return Uint8Array.from([run.length, 0, 0, 0, ...run, ...values])
}

const AB = [2, 0, 0, 0, 97, 98]

/** A file with one optional column `text` in one row group of one page; what is not forged fits three rows of `ab`. */
export function forgedParquet(forgery: Forgery): Uint8Array {
  const body = forgery.body ?? withLevels(3, 1, [...AB, ...AB, ...AB])
  const writer = new ByteWriter()
  writer.appendBytes(Buffer.from('PAR1'))
  writePageHeader(writer, {
    type: 'DATA_PAGE',
    uncompressed_page_size: forgery.inflated ?? body.length,
    compressed_page_size: forgery.packed ?? body.length,
    data_page_header: {
      num_values: forgery.values ?? 3,
      encoding: forgery.encoding ?? 'PLAIN',
      ...{ definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' },
    },
  })
  writer.appendBytes(body)
  const chunk = BigInt(writer.offset - 4)
  const rows = forgery.rows ?? 3n
  writeMetadata(writer, {
    version: 2,
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'text', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL', converted_type: 'UTF8' },
    ],
    num_rows: rows,
    row_groups: [
      {
        columns: [
          {
            file_offset: 4n,
            meta_data: {
              ...{ type: 'BYTE_ARRAY', encodings: ['PLAIN'], path_in_schema: ['text'], num_values: rows },
              codec: forgery.codec ?? 'UNCOMPRESSED',
              total_uncompressed_size: forgery.chunkInflated ?? chunk,
              total_compressed_size: forgery.chunkBytes ?? chunk,
              data_page_offset: 4n,
            },
          },
        ],
        ...{ total_byte_size: chunk, num_rows: rows },
      },
    ],
    metadata_length: 0,
  })
  writer.appendBytes(Buffer.from('PAR1'))
  return new Uint8Array(writer.getBuffer())
}

/** A file whose footer is these bytes. */
export function parquetWithFooter(footer: Uint8Array): Uint8Array {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([Buffer.from('PAR1'), footer, length, Buffer.from('PAR1')])
}
