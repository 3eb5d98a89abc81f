/** The kernels of chains on a GPU: equal chains are compiled once. @module */

import { type Chain, chainModule } from './chain-source.js'
import { each, type KernelModule, type Launch } from './kernels/kernel-module.js'

/** Compiles and starts them. */
export class ChainKernels {
  readonly #launch: Launch
  /** By the name of the kernel. */
  readonly #modules = new Map<string, KernelModule>()

  constructor(launch: Launch) {
    this.#launch = launch
  }

  /** Lets the chains of a program that no other has yet be compiled together, when the first of them runs. */
  add(chains: readonly Chain[]): void {
    const fresh = new Map(chains.filter(({ name }) => !this.#modules.has(name)).map(({ name, text }) => [name, text]))
    if (fresh.size === 0) return
    const names = [...fresh.keys()].sort()
    const module = chainModule(names.map((name) => fresh.get(name)!))
    for (const name of names) this.#modules.set(name, module)
  }

  /**
   * Starts the kernel of a chain that was added.
   *
   * @param copies - Where the copies of its results go.
   */
  run({ name, n, values, copies: places, ...form }: Chain, ...copies: number[]): void {
    const given = [...values]
    places.forEach(({ argument }, i) => {
      given[argument] = copies[i]!
    })
    this.#launch(this.#modules.get(name)!, name, form, each(n), given)
  }
}
