/**
 * Where a process stands in its group, as whoever started it says in the environment. Knows no transport.
 * @module
 */

import { ConfigError } from './errors.js'

/** A process's place in its group. */
export interface ProcessPlace {
  /** Number of this process, 0 to `worldSize - 1`. */
  readonly rank: number
  readonly worldSize: number
  /** Number of this process among those of its machine, from 0. */
  readonly localRank?: number
  /** How many processes of the group run on this machine. */
  readonly localSize?: number
  /** Where rank 0 is to be met, `host:port`. */
  readonly rendezvous?: string
  /** How many groups of this job came before this one: grows with each restart. @default 0 */
  readonly generation?: number
}

/** The variables of one launcher, by what they say. */
interface Launcher {
  readonly name: string
  readonly rank: string
  /** The first that is set counts. */
  readonly worldSize: readonly string[]
  readonly localRank: string
  readonly localSize: string
}

/** Nearest to the process first: `dcml launch` may run under Slurm, and Slurm may start `mpirun`. */
const launchers: readonly Launcher[] = [
  {
    name: 'dcml launch or torchrun',
    rank: 'RANK',
    worldSize: ['WORLD_SIZE'],
    localRank: 'LOCAL_RANK',
    localSize: 'LOCAL_WORLD_SIZE',
  },
  {
    name: 'Open MPI',
    rank: 'OMPI_COMM_WORLD_RANK',
    worldSize: ['OMPI_COMM_WORLD_SIZE'],
    localRank: 'OMPI_COMM_WORLD_LOCAL_RANK',
    localSize: 'OMPI_COMM_WORLD_LOCAL_SIZE',
  },
  {
    name: 'PMI (MPICH)',
    rank: 'PMI_RANK',
    worldSize: ['PMI_SIZE'],
    localRank: 'MPI_LOCALRANKID',
    localSize: 'MPI_LOCALNRANKS',
  },
  {
    name: 'Slurm',
    rank: 'SLURM_PROCID',
    worldSize: ['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'],
    localRank: 'SLURM_LOCALID',
    localSize: 'SLURM_NTASKS_PER_NODE',
  },
]

/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the place of this process from the environment: RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE as `dcml launch`
 * and torchrun set them, else Open MPI's, PMI's or Slurm's variables; MASTER_ADDR and MASTER_PORT say where to meet,
 * DCML_GENERATION which restart this is.
 *
 * @returns The place; undefined where nobody has set one.
 * @throws {ConfigError} if the variables are incomplete, out of range, or contradict each other.
 * @example
 * const { rank, worldSize } = processPlace() ?? { rank: 0, worldSize: 1 }
 */
export function processPlace(environment: Environment = process.env): ProcessPlace | undefined {
  const set = launchers.filter(
    ({ rank, worldSize }) => has(environment, rank) || (rank === 'RANK' && has(environment, worldSize[0]!)),
  )
  const places = set.map((launcher) => ({ launcher, place: placeOf(environment, launcher) }))
  const first = places[0]
  if (!first) return undefined
  // Groups of another size are another group, such as one agent per machine; of the same size they are this one.
  const other = places.find(({ place }) => place.worldSize === first.place.worldSize && place.rank !== first.place.rank)
  if (other)
    throw new ConfigError(`The environment gives this process two ranks out of ${first.place.worldSize}.`, {
      expected: `one rank; ${first.launcher.rank} says ${first.place.rank}`,
      received: `${other.launcher.rank}, which says ${other.place.rank}`,
      remedy: `Unset ${first.launcher.rank}, or start the processes by ${first.launcher.name} alone`,
    })
  const rendezvous = rendezvousOf(environment)
  const generation = has(environment, 'DCML_GENERATION') ? wholeNumber(environment, 'DCML_GENERATION') : undefined
  return {
    ...first.place,
    ...(rendezvous === undefined ? {} : { rendezvous }),
    ...(generation === undefined ? {} : { generation }),
  }
}

function placeOf(environment: Environment, launcher: Launcher): ProcessPlace {
  const worldSizeName = launcher.worldSize.find((name) => has(environment, name))
  if (worldSizeName === undefined || !has(environment, launcher.rank))
    throw new ConfigError('The environment gives only one half of the place of this process.', {
      expected: `${launcher.rank} and ${launcher.worldSize.join(' or ')}`,
      received: `${worldSizeName ?? launcher.rank} alone`,
    })
  const worldSize = wholeNumber(environment, worldSizeName)
  if (worldSize === 0)
    throw new ConfigError(`${worldSizeName} is out of range.`, { expected: '1 or more', received: 0 })
  const rank = numberBelow(environment, launcher.rank, { name: worldSizeName, value: worldSize })
  if (!has(environment, launcher.localRank)) return { rank, worldSize }
  // Slurm's may be absent or stand for a mixture, '2(x3),1': then it is not known.
  const localSizeText = environment[launcher.localSize] ?? ''
  if (!/^\d+$/.test(localSizeText)) return { rank, worldSize, localRank: wholeNumber(environment, launcher.localRank) }
  const localSize = Number(localSizeText)
  const localRank = numberBelow(environment, launcher.localRank, { name: launcher.localSize, value: localSize })
  return { rank, worldSize, localRank, localSize }
}

function rendezvousOf(environment: Environment): string | undefined {
  const [host, port] = [environment.MASTER_ADDR, environment.MASTER_PORT]
  if (!host || !port) return undefined
  const number = wholeNumber(environment, 'MASTER_PORT')
  if (number < 1 || number > 65_535)
    throw new ConfigError('MASTER_PORT is out of range.', { expected: '1 to 65535', received: number })
  return host.includes(':') ? `[${host}]:${number}` : `${host}:${number}`
}

function numberBelow(environment: Environment, name: string, bound: { name: string; value: number }): number {
  const value = wholeNumber(environment, name)
  if (value < bound.value) return value
  throw new ConfigError(`${name} contradicts ${bound.name}.`, {
    expected: `0 to ${bound.value - 1}, for ${bound.name} is ${bound.value}`,
    received: value,
  })
}

function wholeNumber(environment: Environment, name: string): number {
  const text = environment[name] ?? ''
  if (/^\d{1,9}$/.test(text.trim())) return Number(text)
  throw new ConfigError(`The environment variable ${name} is not a number.`, {
    expected: 'a whole number from 0',
    received: JSON.stringify(text),
  })
}

const has = (environment: Environment, name: string) => (environment[name] ?? '') !== ''
