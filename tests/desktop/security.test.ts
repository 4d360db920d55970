/** What the page in the desktop window cannot do, tried from inside the page. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingHost, openDesktopHost, type Host } from '../journeys/hosts'

describe.skipIf(missingHost('desktop') !== null)('the page in the window', () => {
  let host: Host
  beforeAll(async () => {
    host = await openDesktopHost()
    await host.page.locator('.workspace').waitFor()
  })
  afterAll(() => host.close())

  /** Runs a program in the page; a thrown error becomes its name. */
  const inPage = (program: string) =>
    host.page.evaluate<unknown>(
      `(async () => { try { return await (${program}) } catch (error) { return error.name } })()`,
    )

  it('sees two functions of the main process and no Node', async () => {
    expect(await inPage('Object.keys(window.monoscope).sort()')).toEqual(['onMessage', 'pathOf', 'send'])
    expect(await inPage('[typeof require, typeof process, typeof Buffer, typeof module]')).toEqual(
      Array.from({ length: 4 }, () => 'undefined'),
    )
  })

  it('is served with the strict policy and reads no file outside of its folder', async () => {
    const policy = await inPage(
      `fetch('app://monoscope/index.html').then((r) => r.headers.get('content-security-policy'))`,
    )
    expect(policy).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe')
    for (const path of [
      '../package.json',
      '%2e%2e/package.json',
      '..%2fpackage.json',
      '../../../../../../etc/hostname',
    ]) {
      expect([403, 404]).toContain(await inPage(`fetch('app://monoscope/${path}').then((r) => r.status)`))
    }
  })

  it('runs no script that is not one of its files', async () => {
    const tried = `(() => {
      const script = document.createElement('script')
      script.textContent = 'window.ran = true'
      document.body.append(script)
      return window.ran ?? 'blocked'
    })()`
    expect(await inPage(tried)).toBe('blocked')
  })

  it('opens no window and goes nowhere else', async () => {
    expect(await inPage(`window.open('https://example.invalid/') === null`)).toBe(true)
    const before = host.page.url()
    await inPage(`void (location.href = 'https://example.invalid/')`)
    await host.page.waitForTimeout(300)
    expect(host.page.url()).toBe(before)
    expect(await host.page.locator('.workspace').isVisible()).toBe(true)
  })

  it('gets no permission', async () => {
    expect(await inPage('Notification.requestPermission()')).toBe('denied')
    expect(await inPage('navigator.mediaDevices.getUserMedia({ audio: true }).then(() => "granted")')).not.toBe(
      'granted',
    )
  })

  it('answers calls with their errors', async () => {
    const answer = await inPage(`new Promise((resolve) => {
      window.monoscope.onMessage((message) => { if (message.id === 987654) resolve(message.fail.code) })
      window.monoscope.send({ id: 987654, name: 'constructor', input: {} })
    })`)
    expect(answer).toBe('unknown-call')
  })
})
