/** Asks a loopback port whether a Monoscope with a given token answers there. */
import { request } from 'node:http'

/**
 * `ours` answers with the token; `refused` nobody listens; `other` something else answers; `silent` no answer in time, or none that
 * tells anything: an owner, or an asker, that is short of file descriptors resets or cannot connect, and is alive all the same.
 */
export type ProbeResult = 'ours' | 'refused' | 'other' | 'silent'

export const ALIVE_PATH = '/alive'
export const ALIVE_STATUS = 204

export function probeHost({ port, token }: { port: number; token: string }, timeoutMs = 3000): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const path = `${ALIVE_PATH}?token=${encodeURIComponent(token)}`
    const asking = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === ALIVE_STATUS ? 'ours' : 'other')
      clearTimeout(timer)
    })
    const timer = setTimeout(() => {
      resolve('silent')
      asking.destroy()
    }, timeoutMs)
    asking.on('error', (error) => {
      clearTimeout(timer)
      const code = 'code' in error ? String(error.code) : ''
      // What is no HTTP comes from another program.
      if (code === 'ECONNREFUSED') resolve('refused')
      else resolve(code.startsWith('HPE_') ? 'other' : 'silent')
    })
    asking.end()
  })
}
