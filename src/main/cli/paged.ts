/** Lists of any length from calls that answer at most 500 rows at once. */
import { InvalidArgumentError } from 'commander'
import { toNumber } from './find'

const ROWS_A_CALL = 500

type Part = { limit: number; offset: number }
type Page = { rows: readonly unknown[]; isMore: boolean }

/** A number of rows, at least one. @throws InvalidArgumentError */
export function toLimit(text: string): number {
  const limit = toNumber(text)
  if (!Number.isSafeInteger(limit) || limit < 1) throw new InvalidArgumentError('It is a whole number of 1 or more.')
  return limit
}

/** `limit` rows from `offset` on, or fewer where the list ends; every other figure is the last call's. */
export async function pageOf<P extends Page>({ limit, offset }: Part, ask: (part: Part) => Promise<P>): Promise<P> {
  const take = (done: number) => ask({ limit: Math.min(ROWS_A_CALL, limit - done), offset: offset + done })
  let page = await take(0)
  const rows = [...page.rows]
  while (page.isMore && page.rows.length > 0 && rows.length < limit) {
    page = await take(rows.length)
    rows.push(...page.rows)
  }
  return { ...page, rows }
}
