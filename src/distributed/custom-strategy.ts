/** A strategy whose workers' side the user writes. @module */

import { withDefaults } from '../core/index.js'
import type { DistributedStrategy } from '../training/index.js'
import type { Transport } from '../transport/index.js'
import type { StrategyDescription } from './create-member.js'
import { type GroupOptions, GroupStrategy, groupDefaults } from './group-strategy.js'

/** Options of `CustomStrategy`. */
export interface CustomStrategyOptions extends GroupOptions {
  /** Name of a `MemberMaker` among the exports of the trainer's `setup`. */
  member: string
  /** Plain data for the maker. @default none */
  options?: unknown
}

/** Makes a worker's side of a strategy, mostly a `GroupMember`, in that worker. */
export type MemberMaker = (transport: Transport, options?: unknown) => DistributedStrategy

/**
 * Workers that keep equal in a way of your own: each makes a member of the group, threads and processes alike.
 *
 * @example
 * // strategy.js: export const halves = (transport) => new HalvesMember(transport)
 * const strategy = new CustomStrategy({ member: 'halves', workers: 4 })
 * new Trainer({ model, loss: 'meanSquaredError', strategy, setup: new URL('./strategy.js', import.meta.url) })
 */
export class CustomStrategy extends GroupStrategy {
  readonly description: StrategyDescription

  constructor(given: CustomStrategyOptions) {
    const { member, options, ...group } = withDefaults('CustomStrategy', given, {
      ...groupDefaults,
      member: undefined,
      options: undefined,
    })
    super(group)
    this.description = { name: 'custom', options: { member, ...(options === undefined ? {} : { options }) } }
  }
}
