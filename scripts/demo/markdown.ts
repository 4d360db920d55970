/** Tables of the demo's documents. */

/** @param rows as many cells each as there are heads */
export const markdownTable = (heads: string[], rows: string[][]): string =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
