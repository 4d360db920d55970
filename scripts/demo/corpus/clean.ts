/** What is done to every text: characters, blocks, and documents of a useful length. */

/** One Unicode form, no control characters, no spaces at ends of lines, at most one empty line. */
export function cleanText(text: string): string {
  return (
    text
      .normalize('NFC')
      .replace(/\r\n?/g, '\n')
      // eslint-disable-next-line no-control-regex -- these are what is removed
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\ufeff\ufffd]/g, '')
      .replace(/\u00a0/g, ' ')
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{3,}/g, '\n\n')
      .replace(/^\n+|\s+$/g, '')
  )
}

/** What two blocks share when they say the same. */
export const normalForm = (block: string): string =>
  block.toLowerCase().replace(/\d+/g, '0').replace(/\s+/g, ' ').trim()

/** Blocks joined into documents of at most `most` characters; a longer block is cut at line ends, or anywhere where there are none. */
export function joinBlocks(blocks: readonly string[], most: number): string[] {
  const documents: string[] = []
  let current = ''
  for (const block of blocks.flatMap((one) => cutBlock(one, most))) {
    if (current !== '' && current.length + block.length + 2 > most) {
      documents.push(current)
      current = ''
    }
    current = current === '' ? block : `${current}\n\n${block}`
  }
  if (current !== '') documents.push(current)
  return documents
}

function cutBlock(block: string, most: number): string[] {
  if (block.length <= most) return [block]
  const lineEnd = block.lastIndexOf('\n', most)
  const space = block.lastIndexOf(' ', most)
  const at = lineEnd > most / 2 ? lineEnd : space > most / 2 ? space : most
  // Never between the two halves of one character.
  const end = /[\ud800-\udbff]/.test(block[at - 1] ?? '') ? at - 1 : at
  return [block.slice(0, end).trimEnd(), ...cutBlock(block.slice(end).replace(/^\s+/, ''), most)]
}
