/** Runs the programs of benchmarks, and finds Python. @module */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { launch } from '../../node.js'

const run = promisify(execFile)

// BLAS and OpenMP would otherwise take every core for what is called one thread.
export const oneThread = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }

let python: Promise<string | undefined> | undefined

/** The first Python that has PyTorch. */
export function findPython(): Promise<string | undefined> {
  python ??= firstThatRuns(['python3', '/usr/bin/python3', 'python'], ['-c', 'import torch'])
  return python
}

/** The first of the commands that ends well with these arguments. */
export async function firstThatRuns(commands: readonly string[], args: readonly string[]): Promise<string | undefined> {
  for (const command of commands)
    try {
      await run(command, args)
      return command
    } catch {
      // The next one may be there.
    }
  return undefined
}

/** The JSON in the last line that a program prints; what goes wrong is an outcome, never an error. */
export async function outcomeOf<T>(
  command: string,
  args: readonly string[],
  { environment, timeoutSeconds }: { environment: Record<string, string>; timeoutSeconds: number },
): Promise<T | { error: string }> {
  try {
    const { stdout } = await run(command, args, {
      env: { ...process.env, ...environment },
      timeout: timeoutSeconds * 1000,
    })
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as T
  } catch (error) {
    const { killed, stderr, stdout } = error as { killed?: boolean; stderr?: string; stdout?: string }
    if (killed) return { error: `gave no figure within ${timeoutSeconds} s` }
    const told = stdout?.trim().split('\n').at(-1)
    if (told?.startsWith('{"error"')) return JSON.parse(told) as { error: string }
    const lines = stderr?.trim().split('\n') ?? []
    return { error: lines.find((line) => /^\w*(Error|Exception)\b/.test(line)) ?? (lines.at(-1) || String(error)) }
  }
}

/** The JSON that rank 0 of a group of processes prints; or what one of them says that went wrong. */
export async function outcomeOfGroup<T>(
  script: string,
  args: readonly string[],
  processes: number,
): Promise<T | { error: string }> {
  let outcome: T | undefined
  let error: { error: string } | undefined
  let last = ''
  const write = (line: string) => {
    last = line
    const json = /^\[\d+\] (\{.*)/.exec(line)?.[1]
    if (json?.startsWith('{"error"')) error ??= JSON.parse(json) as { error: string }
    else if (json && line.startsWith('[0]')) outcome = JSON.parse(json) as T
  }
  await launch(script, args, { processes, write })
  return error ?? outcome ?? { error: last }
}
