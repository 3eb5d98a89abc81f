/**
 * Checkpoints: everything that training needs to go on as if it had never stopped, as one safetensors file.
 * @module
 */

import { checkWhole, StorageError, withDefaults } from '../core/index.js'
import { decodeSafetensors, encodeSafetensors } from '../models/index.js'
import { checkStore, type Store } from '../storage/index.js'
import type { Callback } from './callback.js'
import { comparison, monitored } from './early-stopping.js'
import type { EpochRecord } from './history.js'
import type { Sums, TrainingState } from './job.js'

const FORMAT = 'dcml-checkpoint-1'

/** Where training stood. */
export interface Position {
  /** Epoch in progress, from 0. */
  epoch: number
  /** Updates made in that epoch. */
  stepInEpoch: number
  /** Rows of each of them. */
  rowsPerStep: number
  /** Sums of that epoch so far. */
  sums: Sums
  epochs: EpochRecord[]
  seed: number
  /** Fitted preprocessor, when there is one. */
  preprocessor?: unknown
}

/** A checkpoint in memory. */
export interface Checkpoint {
  state: TrainingState
  position: Position
}

/** Packs a checkpoint into the bytes of a safetensors file. */
export function encodeCheckpoint({ state, position }: Checkpoint): Uint8Array {
  const tensors: Record<string, { data: Float32Array; shape: number[] }> = {}
  const add = (prefix: string, values: Record<string, Float32Array>) => {
    for (const [name, data] of Object.entries(values)) tensors[`${prefix}:${name}`] = { data, shape: [data.length] }
  }
  add('parameter', state.parameters)
  add('buffer', state.buffers)
  add('strategy', state.strategy ?? {})
  for (const [slot, values] of Object.entries(state.slots)) add(`slot:${slot}`, values)
  return encodeSafetensors(tensors, {
    format: FORMAT,
    step: String(state.step),
    slots: JSON.stringify(Object.keys(state.slots)),
    position: JSON.stringify(position),
  })
}

/** Unpacks `encodeCheckpoint`. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes)
  if (metadata.format !== FORMAT)
    throw new StorageError('The file is not a checkpoint of this version.', {
      expected: FORMAT,
      received: metadata.format ?? 'none',
    })
  const below = (prefix: string) =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([name]) => name.startsWith(`${prefix}:`))
        .map(([name, { data }]) => [name.slice(prefix.length + 1), data as Float32Array]),
    )
  const slots = JSON.parse(metadata.slots!) as string[]
  const strategy = below('strategy')
  return {
    state: {
      step: Number(metadata.step),
      parameters: below('parameter'),
      buffers: below('buffer'),
      slots: Object.fromEntries(slots.map((slot) => [slot, below(`slot:${slot}`)])),
      ...(Object.keys(strategy).length > 0 ? { strategy } : {}),
    },
    position: JSON.parse(metadata.position!) as Position,
  }
}

/**
 * The newest checkpoint in a store, by step, that can be read: a damaged one is passed over with a warning.
 *
 * @throws {StorageError} if there is none.
 */
export async function readLatestCheckpoint(store: Store, prefix = 'checkpoint'): Promise<Checkpoint> {
  const names = (await store.list(prefix)).filter((name) => /-\d{9}\.safetensors$/.test(name)).sort()
  let damage: unknown
  for (const name of names.reverse())
    try {
      return decodeCheckpoint(await store.read(name))
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      console.warn(`The checkpoint '${name}' is passed over. ${error.message}`)
      damage = error
    }
  if (damage) throw damage
  throw new StorageError('There is no checkpoint to resume from.', {
    remedy: 'Train with the checkpoint callback on this store first',
  })
}

/** Options of `checkpoint`. */
export interface CheckpointOptions {
  store: Store
  /** Keeps this many of the best by `monitor`, and always the newest two: one may be damaged. @default 1 */
  keepBest?: number
  /** @default 'val_loss' with validation, else 'loss' */
  monitor?: string
  /** @default 'auto' */
  mode?: 'min' | 'max' | 'auto'
  /** Saves within the epoch too, after every so many updates. @default off */
  everySteps?: number
  /** Beginning of the names. @default 'checkpoint' */
  prefix?: string
}

/**
 * Saves a checkpoint after every epoch (and every so many steps), keeping the newest two and the best.
 *
 * @example
 * checkpoint({ store: directory('run'), keepBest: 1 })
 */
export function checkpoint(options: CheckpointOptions): Callback {
  checkStore('The store of checkpoint()', options?.store)
  const { store, keepBest, mode, everySteps, prefix } = withDefaults('checkpoint', options, {
    store: undefined,
    keepBest: 1,
    monitor: undefined,
    mode: 'auto',
    everySteps: undefined,
    prefix: 'checkpoint',
  })
  if (everySteps !== undefined) checkWhole('everySteps of checkpoint', everySteps)
  let ranked: { name: string; value: number }[] = []
  /** Oldest first, two at most. */
  let newest: string[] = []
  const nameOf = (step: number) => `${prefix}-${String(step).padStart(9, '0')}.safetensors`
  const save = async (step: number, bytes: Uint8Array) => {
    const name = nameOf(step)
    await store.write(name, bytes)
    newest = [...newest.filter((other) => other !== name), name]
    const dropped = newest.length > 2 ? newest.shift() : undefined
    if (dropped !== undefined && !ranked.some((kept) => kept.name === dropped)) await store.remove(dropped)
    return name
  }
  const callback: Callback = {
    // An interrupted run leaves its last step behind.
    async onFitEnd({ history, step, snapshot }) {
      if (history.stopReason !== undefined && newest.at(-1) !== nameOf(step)) await save(step, await snapshot())
    },
    onFitStart() {
      ranked = []
      newest = []
    },
    async onEpochEnd({ record, step, snapshot }) {
      const monitor = options.monitor ?? ('val_loss' in record ? 'val_loss' : 'loss')
      const value = monitored(record, monitor)
      const better = comparison(monitor, mode)
      const name = await save(step, await snapshot())
      ranked.push({ name, value })
      ranked.sort((a, b) => (better(a.value, b.value) ? -1 : better(b.value, a.value) ? 1 : 0))
      for (const { name: dropped } of ranked.splice(keepBest))
        if (!newest.includes(dropped)) await store.remove(dropped)
    },
  }
  if (everySteps === undefined) return callback
  return {
    ...callback,
    async onStepEnd({ step, snapshot }) {
      if (step % everySteps === 0) await save(step, await snapshot())
    },
  }
}
