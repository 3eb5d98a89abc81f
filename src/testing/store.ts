/** The conformance suite of `Store`. @module */

import { ConfigError, StorageError } from '../core/index.js'
import type { Store } from '../storage/index.js'
import type { ConformanceCase } from './suite.js'

/** How the suite gets its subject. */
export interface StoreSubject {
  /** A store with nothing in it. */
  create(): Store | Promise<Store>
  /** Called with every store that `create` made, after its case. */
  close?(store: Store): void | Promise<void>
}

/**
 * What every store must do, as cases for any test runner.
 *
 * @example
 * for (const { name, run } of testStore({ create: () => memory() })) it(name, run)
 */
export function testStore({ create, close }: StoreSubject): ConformanceCase[] {
  return Object.entries(cases).map(([name, check]) => ({
    name,
    async run() {
      const store = await create()
      try {
        await check(store)
      } finally {
        await close?.(store)
      }
    },
  }))
}

const cases: Record<string, (store: Store) => Promise<void>> = {
  'gives back the bytes that were written': async (store) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    await store.write('a.bin', bytes)
    assertBytes(await store.read('a.bin'), bytes)
  },

  'holds an empty file': async (store) => {
    await store.write('empty', new Uint8Array(0))
    assertBytes(await store.read('empty'), new Uint8Array(0))
    assertNames(await store.list(), ['empty'])
  },

  'replaces what was there, also by something shorter': async (store) => {
    await store.write('a', Uint8Array.of(1, 2, 3, 4))
    await store.write('a', Uint8Array.of(5))
    assertBytes(await store.read('a'), Uint8Array.of(5))
  },

  'stores a view without the rest of its buffer': async (store) => {
    await store.write('view', Uint8Array.of(9, 1, 2, 9).subarray(1, 3))
    assertBytes(await store.read('view'), Uint8Array.of(1, 2))
  },

  'keeps its own copy of what it takes and gives': async (store) => {
    const given = Uint8Array.of(1, 2, 3)
    await store.write('a', given)
    given.fill(0)
    const read = await store.read('a')
    assertBytes(read, Uint8Array.of(1, 2, 3))
    read.fill(0)
    assertBytes(await store.read('a'), Uint8Array.of(1, 2, 3))
  },

  'throws a StorageError that names what is missing': async (store) => {
    const error = await failure(() => store.read('run/none.bin'))
    assert(error instanceof StorageError, `expected a StorageError; received ${error}`)
    assert(error.message.includes('run/none.bin'), `the message does not name it: ${error.message}`)
  },

  'lists names by prefix, sorted, with the parts of a path': async (store) => {
    for (const name of ['b/2', 'a', 'b/10', 'c/d/e.txt', 'bc']) await store.write(name, Uint8Array.of(1))
    assertNames(await store.list(), ['a', 'b/10', 'b/2', 'bc', 'c/d/e.txt'])
    assertNames(await store.list('b'), ['b/10', 'b/2', 'bc'])
    assertNames(await store.list('b/'), ['b/10', 'b/2'])
    assertNames(await store.list('none'), [])
  },

  'lists nothing when nothing was written': async (store) => {
    assertNames(await store.list(), [])
  },

  'removes a name, and does nothing where there is none': async (store) => {
    await store.write('a', Uint8Array.of(1))
    await store.write('b', Uint8Array.of(2))
    await store.remove('a')
    await store.remove('a')
    assertNames(await store.list(), ['b'])
    assert((await failure(() => store.read('a'))) instanceof StorageError, 'a removed name can still be read')
  },

  'refuses names that leave the store or are no names': async (store) => {
    for (const name of ['', '/etc/x', '../x', 'a/../../x', 'a//b', 'a/', '.', 'a\\b', 'a\0b']) {
      for (const use of [() => store.read(name), () => store.write(name, Uint8Array.of(1)), () => store.remove(name)]) {
        const error = await failure(use)
        assert(error instanceof ConfigError, `${JSON.stringify(name)}: expected a ConfigError; received ${error}`)
      }
    }
    assertNames(await store.list(), [])
  },

  'leaves one whole version after writes at the same time': async (store) => {
    const versions = [1, 2, 3, 4].map((value) => new Uint8Array(50_000).fill(value))
    await Promise.all(versions.map((bytes) => store.write('a', bytes)))
    const read = await store.read('a')
    assertBytes(read, versions[read[0]! - 1] ?? new Uint8Array(0))
    assertNames(await store.list(), ['a'])
  },
}

async function failure(use: () => Promise<unknown>): Promise<unknown> {
  try {
    await use()
  } catch (error) {
    return error
  }
  return undefined
}

function assert(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message)
}

function assertBytes(received: Uint8Array, expected: Uint8Array): void {
  assert(received instanceof Uint8Array, `expected a Uint8Array; received ${typeof received}`)
  assert(received.length === expected.length, `expected ${expected.length} bytes; received ${received.length}`)
  const differs = expected.findIndex((byte, i) => byte !== received[i])
  assert(differs < 0, `byte ${differs}: expected ${expected[differs]}; received ${received[differs]}`)
}

function assertNames(received: string[], expected: string[]): void {
  assert(received.join() === expected.join(), `expected the names [${expected}]; received [${received}]`)
}
