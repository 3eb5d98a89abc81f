/** What a user says about a group that may change. @module */

import { ConfigError, checkWhole, type ProcessPlace, withDefaults } from '../core/index.js'
import type { ProcessTransportFactory } from '../transport/index.js'

/** How far a group of processes may shrink, and how it goes on. */
export interface ElasticOptions {
  /** Fewest processes that the training goes on with, rank 0 among them. */
  min: number
  /** Most processes. @default as many as were launched */
  max?: number
  /** Steps between two states, kept in the memory of rank 0, that the training can go back to. @default 100 */
  commitEverySteps?: number
  /** How long to wait for processes that are missing, in milliseconds. @default 60,000 */
  waitMs?: number
}

/** Options with nothing left open. */
export type ElasticTerms = Required<ElasticOptions>

/** A place that can be found again. */
export type MeetingPlace = ProcessPlace & { rendezvous: string }

/**
 * Completes the options.
 *
 * @throws {ConfigError} if they make no sense, or the transport cannot form its group anew.
 */
export function resolveElastic(
  options: ElasticOptions,
  factory: ProcessTransportFactory,
): { terms: ElasticTerms; place: MeetingPlace } {
  const { min, max, commitEverySteps, waitMs } = withDefaults('elastic', options, {
    min: undefined,
    max: undefined,
    commitEverySteps: 100,
    waitMs: 60_000,
  })
  if (!factory.place)
    throw new ConfigError(`The transport '${factory.name}' cannot form its group anew.`, {
      remedy: "Use tcp() with elastic; under MPI, restart from a checkpoint: 'dcml launch --restarts'",
    })
  const { rendezvous, ...place } = factory.place()
  const terms = { min, max: max ?? place.worldSize, commitEverySteps, waitMs }
  for (const name of ['min', 'max', 'commitEverySteps'] as const) checkWhole(`${name} of elastic`, terms[name])
  if (terms.max < min)
    throw new ConfigError('elastic asks for more processes than it allows.', {
      expected: `min of at most ${terms.max}`,
      received: min,
    })
  if (rendezvous === undefined)
    throw new ConfigError('It is not said where the processes of an elastic training meet.', {
      expected: 'MASTER_ADDR and MASTER_PORT',
      remedy: "Start them by 'dcml launch --elastic'",
    })
  return { terms, place: { ...place, rendezvous } }
}

/** The lobby is one port above the rendezvous, which each group uses for a moment while it forms. */
export function lobbyOf({ rendezvous }: MeetingPlace): string {
  const colon = rendezvous.lastIndexOf(':')
  return `${rendezvous.slice(0, colon)}:${Number(rendezvous.slice(colon + 1)) + 1}`
}

/** The tag of what is said in the lobby. */
export const LOBBY_TAG = 1

/** From a member: it waits for a place. */
export interface Application {
  /** The rank that its launcher gave it. */
  id: number
}

/** The place of a member in a group. */
export interface Place {
  rank: number
  worldSize: number
  generation: number
}

/** From the leader: a place, or that the group did not come about, and to apply again. */
export type Assignment = Place | { again: true }

/** A receive that fails sooner than this has met a link that is gone, not one that was silent for long. */
export const AT_ONCE_MS = 1000

/** Generations of groups, within that of the job: none of an earlier run can be taken for one of this. */
export const firstGeneration = ({ generation = 0 }: ProcessPlace): number => generation * 65_536
