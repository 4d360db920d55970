/** How long a job will go on, from how fast it went so far. */

/** Before so long, speeds are those of a start. */
const STEADY_MS = 3000

/** `1:02:03`, `12:03`, `0:07`: hours, minutes and seconds. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** One for each job that is followed; what was done before it was looked at says nothing of its speed. */
export class TimeLeft {
  private first: { at: number; done: number } | null = null

  /** Seconds until `total` at the pace since the first look; null until that is steady. */
  secondsOf(done: number, total: number, now = performance.now()): number | null {
    if (done <= 0) return null
    this.first ??= { at: now, done }
    const [elapsed, gained] = [now - this.first.at, done - this.first.done]
    if (elapsed < STEADY_MS || gained <= 0) return null
    return ((total - done) * elapsed) / gained / 1000
  }
}
