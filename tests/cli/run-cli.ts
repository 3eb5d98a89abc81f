/** Runs the built command as a user does. @module */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** How a command ended, and what it wrote. */
export interface Ended {
  exitCode: number
  stdout: string
  stderr: string
}

/** Runs `dcml` with these arguments. */
export function dcml(...args: string[]): Promise<Ended> {
  return ended(process.execPath, [cli, ...args])
}

/** Runs a script of the project. */
export function script(path: string, ...args: string[]): Promise<Ended> {
  return ended(process.execPath, [path, ...args])
}

/** Runs a line of bash in which `dcml` is the command. */
export function bash(line: string): Promise<Ended> {
  return ended('bash', ['-c', `set -o pipefail; dcml() { "${process.execPath}" "${cli}" "$@"; }; ${line}`])
}

function ended(command: string, args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}
