/** What every extractor gives: pages of text blocks, in which paragraphs, headings and listings are blocks of their own. */
export type Page = {
  /** The same for the same page in other languages: what shares a key goes to one side of the split together. */
  key: string
  blocks: string[]
}
