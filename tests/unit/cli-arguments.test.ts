/** Arguments of the command line as people write them. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toPort } from '../../src/main/cli/find'
import { userPath, workspaceFolder } from '../../src/main/cli/session'

describe('paths', () => {
  it('may begin with ~', () => {
    expect(userPath('~/x')).toBe(join(homedir(), 'x'))
    expect(userPath('~')).toBe(homedir())
    expect(userPath('/a/~/x')).toBe('/a/~/x')
    expect(userPath('~x')).toContain('~x')
  })

  it('of a workspace are never empty', () => {
    expect(workspaceFolder({ workspace: '' })).toBe(workspaceFolder({}))
    expect(workspaceFolder({ workspace: ' ' })).toBe(workspaceFolder({}))
    expect(workspaceFolder({ workspace: '~/w' })).toBe(join(homedir(), 'w'))
  })
})

describe('ports', () => {
  it.each(['0', '80', '65535'])('%s is one', (port) => {
    expect(toPort(port)).toBe(Number(port))
  })
  it.each(['-1', '1.5', '70000', 'x', '', '1e9'])('%j is none', (port) => {
    expect(() => toPort(port)).toThrow(expect.objectContaining({ code: 'commander.invalidArgument' }))
  })
})
