/**
 * Material that packages hold little of: tables, lists, letters, dates and sums; tracebacks, logs and shell sessions. Made from a seed by
 * chance and patterns; nothing in it is real. It is marked as generated wherever it is named.
 */
import { Random } from '../../../../src/main/engine/train/random'
import type { Page } from './page'

const NAMES =
  'Anna Ben Chloe Daniel Eva Felix Grace Hana Ivan Jisoo Karim Lena Marco Nora Omar Paula Quinn Ravi Sofia Tom'.split(
    ' ',
  )
const PLACES =
  'Lisbon Seoul Kyoto Berlin Lyon Madrid Boston Lima Oslo Cairo Prague Quito Riga Tunis Vienna Zagreb'.split(' ')
const THINGS =
  'invoice report ticket order sensor battery lamp chair window cable printer notebook engine valve filter pump'.split(
    ' ',
  )
const MODULES = 'parser loader cache session router worker index store client server report config queue model'.split(
  ' ',
)
const VERBS = 'read write open close parse load save send check update remove find build merge split render'.split(' ')
const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ')

/** Draws from lists. */
class Draw {
  constructor(private readonly random: Random) {}
  int = (low: number, high: number): number => low + this.random.int(high - low + 1)
  of = <T>(list: readonly T[]): T => {
    const found = list[this.random.int(list.length)]
    if (found === undefined) throw new Error('the list is empty')
    return found
  }
  times = <T>(low: number, high: number, make: (at: number) => T): T[] =>
    Array.from({ length: this.int(low, high) }, (_, at) => make(at))
  two = (value: number): string => String(value).padStart(2, '0')
  date = (): string => `${this.int(1998, 2026)}-${this.two(this.int(1, 12))}-${this.two(this.int(1, 28))}`
  time = (): string => `${this.two(this.int(0, 23))}:${this.two(this.int(0, 59))}:${this.two(this.int(0, 59))}`
  path = (): string =>
    `/home/${this.of(NAMES).toLowerCase()}/${this.of(MODULES)}/${this.of(MODULES)}_${this.of(VERBS)}.py`
  call = (): string => `${this.of(VERBS)}_${this.of(MODULES)}`
}

function table(d: Draw): string {
  const rows = d.times(4, 12, () => [
    d.of(THINGS),
    d.of(PLACES),
    String(d.int(1, 60)),
    (d.int(100, 99_999) / 100).toFixed(2),
  ])
  const heads = ['item', 'city', 'count', 'price']
  if (d.int(0, 1) === 0) return [heads, ...rows].map((row) => row.join(',')).join('\n')
  return [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const list = (d: Draw): string =>
  [
    `To do on ${d.of(DAYS)}:`,
    ...d.times(3, 9, (at) => `${at + 1}. ${d.of(VERBS)} the ${d.of(THINGS)} for ${d.of(NAMES)}`),
  ].join('\n')

function letter(d: Draw): string {
  const [from, to] = [d.of(NAMES), d.of(NAMES)]
  const day = `${d.of(DAYS)}, ${d.int(1, 28)} ${d.of(MONTHS)} ${d.int(1998, 2026)}`
  const thing = d.of(THINGS)
  return [
    `From: ${from.toLowerCase()}@example.org`,
    `To: ${to.toLowerCase()}@example.com`,
    `Date: ${day} ${d.time()} +0000`,
    `Subject: ${d.of(['Your', 'The', 'Our', 'Re: the'])} ${thing} in ${d.of(PLACES)}`,
    '',
    `Dear ${to},`,
    '',
    d.of([
      `thank you for the ${thing}. It arrived on ${d.of(DAYS)}, and ${d.int(2, 9)} of them are already in use.`,
      `please ${d.of(VERBS)} the ${thing} before ${d.of(DAYS)}; we need it in ${d.of(PLACES)} at ${d.time().slice(0, 5)}.`,
      `I am sorry, but the ${thing} is late. It will leave ${d.of(PLACES)} on the ${d.int(1, 28)}th of ${d.of(MONTHS)}.`,
    ]),
    '',
    d.of(['Kind regards,', 'Best wishes,', 'Yours sincerely,']),
    from,
  ].join('\n')
}

function sums(d: Draw): string {
  const line = () => {
    const [a, b, c] = [d.int(2, 999), d.int(2, 99), d.int(2, 9)]
    return d.of([`${a} + ${b} = ${a + b}`, `${a} - ${b} = ${a - b}`, `${b} * ${c} = ${b * c}`])
  }
  return d.times(6, 16, line).join('\n')
}

const dates = (d: Draw): string =>
  d
    .times(
      4,
      10,
      () =>
        `${d.date()}  ${d.of(DAYS).slice(0, 3)} ${d.time()}  ${d.of(NAMES)} (${d.of(PLACES)}): ${d.of(VERBS)} ${d.of(THINGS)} no. ${d.int(1, 500)}`,
    )
    .join('\n')

function traceback(d: Draw): string {
  const [error, said] = d.of<[string, string]>([
    ['KeyError', `'${d.of(THINGS)}'`],
    ['ValueError', `invalid literal for int() with base 10: '${d.of(THINGS)}'`],
    ['TypeError', `unsupported operand type(s) for +: 'int' and 'str'`],
    ['ZeroDivisionError', 'division by zero'],
    ['IndexError', 'list index out of range'],
    ['FileNotFoundError', `[Errno 2] No such file or directory: '${d.path().replace('.py', '.csv')}'`],
    ['AttributeError', `'NoneType' object has no attribute '${d.call()}'`],
    ['ModuleNotFoundError', `No module named '${d.of(MODULES)}s'`],
    ['PermissionError', `[Errno 13] Permission denied: '${d.path()}'`],
  ])
  const frames = d.times(2, 5, (at) => {
    const name = at === 0 ? '<module>' : d.call()
    return [
      `  File "${d.path()}", line ${d.int(3, 480)}, in ${name}`,
      `    ${d.of(['return ', 'result = ', 'rows = ', ''])}${d.call()}(${d.of(MODULES)})`,
    ]
  })
  return ['Traceback (most recent call last):', ...frames.flat(), `${error}: ${said}`].join('\n')
}

const log = (d: Draw): string =>
  d
    .times(5, 14, () => {
      const level = d.of(['INFO', 'INFO', 'INFO', 'DEBUG', 'WARNING', 'ERROR'])
      const said = d.of([
        `${d.of(VERBS)} ${d.of(THINGS)} ${d.int(1, 9999)} took ${d.int(1, 900)} ms`,
        `connection to 10.0.${d.int(0, 9)}.${d.int(1, 250)}:${d.int(1024, 9999)} ${d.of(['opened', 'closed', 'refused', 'timed out'])}`,
        `retry ${d.int(1, 5)} of 5 for ${d.call()}`,
        `cannot ${d.of(VERBS)} ${d.path()}: ${d.of(['permission denied', 'no such file', 'disk full', 'file is locked'])}`,
      ])
      return `${d.date()} ${d.time()} ${level} [${d.of(MODULES)}] ${said}`
    })
    .join('\n')

function shell(d: Draw): string {
  const user = `${d.of(NAMES).toLowerCase()}@${d.of(PLACES).toLowerCase()}`
  return d
    .times(2, 5, () => {
      const [folder, file] = [d.of(MODULES), `${d.of(THINGS)}.txt`]
      return d.of([
        `${user}:~$ ls -l ${folder}\n${d.times(2, 5, () => `-rw-r--r-- 1 ${user.split('@')[0] ?? ''} users ${d.int(90, 90_000)} ${d.of(MONTHS).slice(0, 3)} ${d.int(1, 28)} ${d.time().slice(0, 5)} ${d.of(THINGS)}.txt`).join('\n')}`,
        `${user}:~$ cat ${folder}/${file}\ncat: ${folder}/${file}: No such file or directory`,
        `${user}:~$ wc -l ${folder}/*.txt\n${d.times(2, 4, () => `${d.int(3, 900)} ${folder}/${d.of(THINGS)}.txt`).join('\n')}`,
        `${user}:~$ ${d.of(VERBS)}-${folder} --help\nbash: ${d.of(VERBS)}-${folder}: command not found`,
        `${user}:~$ git status\nOn branch ${d.of(['main', 'fix', 'draft'])}\nnothing to commit, working tree clean`,
        `${user}:~$ sudo apt install ${folder}\n[sudo] password for ${user.split('@')[0] ?? ''}: \nReading package lists... Done\nE: Unable to locate package ${folder}`,
        `${user}:~$ python3 ${folder}.py\n${traceback(d)}`,
      ])
    })
    .join('\n')
}

const KINDS: Record<string, ((d: Draw) => string)[]> = {
  records: [table, list, letter, sums, dates],
  errors: [traceback, log, shell],
}

/** Pages of one kind each, always the same. @param domain records or errors */
export function generatedPages(domain: string, count: number): Page[] {
  const kinds = KINDS[domain]
  if (!kinds) throw new Error(`nothing is generated for ${domain}`)
  return Array.from({ length: count }, (_, page) => {
    const draw = new Draw(Random.fromSeed(page, domain === 'errors' ? 2 : 1))
    const kind = draw.of(kinds)
    return { key: `${domain} ${page}`, blocks: draw.times(1, 3, () => kind(draw)) }
  })
}
