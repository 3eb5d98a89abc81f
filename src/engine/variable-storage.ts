/**
 * Fixed places in memory for variables that a step changes by itself, such as the moving means of batch normalization.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { copyInto, createDeviceFloats, type DeviceFloats } from '../backends/index.js'

/** Variables whose data stays where it is, however often they are assigned. */
export class VariableStorage {
  readonly #bound = new Map<tf.Variable, { floats: DeviceFloats; dataId: object }>()

  has(variable: tf.Variable): boolean {
    return this.#bound.has(variable)
  }

  /** Byte offset of a bound variable's place. */
  pointer(variable: tf.Variable): number {
    return this.#bound.get(variable)!.floats.pointer
  }

  /** Moves the values of a variable, float32, to a place that stays, and lets the variable show that place. */
  bind(variable: tf.Variable): void {
    const known = this.#bound.get(variable)
    const floats = known?.floats ?? createDeviceFloats(variable.size)!
    copyInto(variable, floats, 0, false)
    const alias = floats.tensor(0, variable.shape)
    variable.assign(alias)
    alias.dispose()
    this.#bound.set(variable, { floats, dataId: variable.dataId })
  }

  /** Takes over values that were assigned since. */
  refresh(): void {
    for (const [variable, { dataId }] of this.#bound)
      if (!variable.isDisposed && variable.dataId !== dataId) this.bind(variable)
  }

  /** The values of all variables, to put back later. */
  save(): () => void {
    const saved = [...this.#bound.values()].map(({ floats }) => ({ floats, values: floats.view().slice() }))
    return () => {
      for (const { floats, values } of saved) floats.view().set(values)
    }
  }

  /** Gives the variables storage of their own again. */
  dispose(): void {
    for (const [variable, { floats, dataId }] of this.#bound) {
      if (!variable.isDisposed && variable.dataId === dataId) {
        const own = tf.tensor(floats.view().slice(), variable.shape, 'float32')
        variable.assign(own)
        own.dispose()
      }
      floats.dispose()
    }
    this.#bound.clear()
  }
}

/** Every variable that there is in tfjs. */
export function registeredVariables(): tf.Variable[] {
  const { registeredVariables: named } = (tf.engine() as unknown as { state: { registeredVariables: object } }).state
  return Object.values(named) as tf.Variable[]
}

/** Notes the values of all variables but some; the returned function gives them back to those that were assigned. */
export function saveVariables(but: ReadonlySet<tf.Variable>): () => void {
  const saved = registeredVariables()
    .filter((variable) => !but.has(variable))
    .map((variable) => ({ variable, dataId: variable.dataId, values: tf.keep(variable.clone()) }))
  return () => {
    for (const { variable, dataId, values } of saved) {
      if (!variable.isDisposed && variable.dataId !== dataId) variable.assign(values)
      values.dispose()
    }
  }
}
