/** Pages of manuals in HTML: what they say, without the frame around it. */
import { Parser } from 'htmlparser2'
import type { Page } from './page'

/** Elements are named by their tag, `#id` or `.class`. */
export type HtmlRules = {
  /** Where the text is. */
  body: string
  /** Elements that are blocks; a block inside a block ends the outer one. */
  blocks: string[]
  /** What is left out. */
  without: string[]
}

const HEADINGS = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6']
const NO_TEXT = ['script', 'style', 'head']

export const HELP_RULES: HtmlRules = {
  body: '#DisplayArea',
  blocks: [...HEADINGS, 'p', 'pre'],
  without: [...NO_TEXT, '.relatedtopics', '.howtoget', '.MAC'],
}
export const HANDBOOK_RULES: HtmlRules = {
  body: 'body',
  blocks: [...HEADINGS, '.para', 'p', 'pre', 'dt'],
  without: [...NO_TEXT, '#title', '#banner', '.docnav', '.navigation', '.toc'],
}
export const PYTHON_RULES: HtmlRules = {
  body: '.body',
  blocks: [...HEADINGS, 'p', 'pre', 'dt'],
  without: [...NO_TEXT, '.headerlink', '.contents'],
}

const VOID = new Set([
  'area',
  'base',
  'br',
  'col',
  'embed',
  'hr',
  'img',
  'input',
  'link',
  'meta',
  'source',
  'track',
  'wbr',
])

function isOne(wanted: readonly string[], tag: string, { id, class: classes }: Record<string, string>): boolean {
  const names = [tag, `#${id ?? ''}`, ...(classes ?? '').split(/\s+/).map((name) => `.${name}`)]
  return wanted.some((name) => names.includes(name))
}

/** Blocks of one page in order. Space is one space, but in `pre`, where it is kept. */
export function htmlBlocks(html: string, { body, blocks, without }: HtmlRules): string[] {
  const found: string[] = []
  const open: { isBlock: boolean; isPre: boolean; isLeftOut: boolean; isBody: boolean }[] = []
  let [text, isPre] = ['', false]
  const end = () => {
    const block = isPre ? text.replace(/^\n+|\s+$/g, '') : text.replace(/\s+/g, ' ').trim()
    if (block !== '') found.push(block)
    ;[text, isPre] = ['', false]
  }
  const parser = new Parser({
    onopentag: (tag, attributes) => {
      const isBlock = isOne(blocks, tag, attributes)
      if (isBlock) {
        end()
        isPre = tag === 'pre'
      }
      if (VOID.has(tag)) return
      const isBody = isOne([body], tag, attributes)
      open.push({ isBlock, isPre: tag === 'pre', isLeftOut: isOne(without, tag, attributes), isBody })
    },
    ontext: (some) => {
      const isWanted = open.some((one) => one.isBody) && open.some((one) => one.isBlock)
      if (isWanted && !open.some((one) => one.isLeftOut)) text += some
    },
    onclosetag: (tag) => {
      if (VOID.has(tag)) return
      if (open.pop()?.isBlock === true) end()
    },
  })
  parser.end(html)
  return found
}

export const htmlPage = (key: string, html: string, rules: HtmlRules): Page => ({
  key,
  blocks: htmlBlocks(html, rules),
})
