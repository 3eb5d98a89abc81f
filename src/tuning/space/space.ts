/**
 * A checked search space.
 *
 * Owns: which parameters there are under which conditions, which combinations are allowed, coordinates.
 * Leaves: the choice of values to the samplers.
 * @module
 */

import { ConfigError, didYouMean } from '../../core/index.js'
import { type Axis, axisOf } from './axis.js'
import type { Parameter, ParameterValue, SpaceDefinition } from './parameter.js'

/** Values by name; a conditional parameter whose condition does not hold is absent. */
export type Params = Readonly<Record<string, ParameterValue>>

/** Whether a combination of values may be tried. */
export type Constraint = (params: Params) => boolean

/** Axes that exist under the same condition, so that they can be chosen together. */
export interface AxisGroup {
  readonly axes: readonly Axis[]
  /** Whether the group exists, given the values chosen before it. */
  active(params: Params): boolean
}

const MOST_DRAWS = 1000

/** The parameters of a study as coordinates from 0 to 1. */
export class Space {
  /** In an order in which each comes after the one that it depends on. */
  readonly axes: readonly Axis[]
  readonly groups: readonly AxisGroup[]
  readonly definition: SpaceDefinition
  readonly #constraints: readonly Constraint[]
  readonly #groupOf = new Map<Axis, AxisGroup>()

  /** @throws {ConfigError} if the space is empty, or a condition names what is not there. */
  constructor(definition: SpaceDefinition, constraints: readonly Constraint[] = []) {
    if (Object.keys(definition ?? {}).length === 0)
      throw new ConfigError('The search space is empty.', { expected: 'at least one parameter' })
    this.definition = definition
    this.#constraints = constraints
    this.groups = groupsOf(definition)
    this.axes = this.groups.flatMap(({ axes }) => axes)
    for (const group of this.groups) for (const axis of group.axes) this.#groupOf.set(axis, group)
  }

  /** Whether a parameter exists beside these values. */
  isActive(axis: Axis, params: Params): boolean {
    return this.#groupOf.get(axis)!.active(params)
  }

  /** Whether some combinations may not be tried. */
  get constrained(): boolean {
    return this.#constraints.length > 0
  }

  /** Whether every constraint holds. */
  allows(params: Params): boolean {
    return this.#constraints.every((constraint) => constraint(params))
  }

  /** The values at a point. `unitOf` gives each coordinate, from 0 to 1; those of absent parameters are left out. */
  decode(unitOf: (axis: Axis, index: number) => number): Params {
    const params: Record<string, ParameterValue> = {}
    this.axes.forEach((axis, i) => {
      const unit = unitOf(axis, i)
      if (this.isActive(axis, params)) params[axis.name] = axis.fromUnit(unit)
    })
    return params
  }

  /** The coordinates of values, in the order of `axes`; 0.5 for those that are absent. */
  encode(params: Params): number[] {
    return this.axes.map((axis) => (axis.name in params ? axis.toUnit(params[axis.name]!) : 0.5))
  }

  /**
   * The first of the combinations drawn that is allowed.
   *
   * @throws {ConfigError} if a thousand in a row were not.
   */
  draw(next: () => Params): Params {
    for (let i = 0; i < MOST_DRAWS; i++) {
      const params = next()
      if (this.allows(params)) return params
    }
    throw new ConfigError(`The constraints refused ${MOST_DRAWS} combinations in a row.`, {
      remedy: 'Loosen them, or shape the space so that more of it is allowed',
    })
  }
}

function groupsOf(definition: SpaceDefinition): AxisGroup[] {
  const groups = new Map<string, { axes: Axis[]; active: AxisGroup['active']; depth: number }>()
  const visit = (
    name: string,
    path: readonly string[],
  ): { active: AxisGroup['active']; key: string; depth: number } => {
    const parameter = parameterOf(definition, name, path.at(-1))
    if (path.includes(name))
      throw new ConfigError('Conditions of the search space go round in a circle.', {
        received: [...path, name].join(' on '),
      })
    if (parameter.kind !== 'conditional') return { active: () => true, key: '', depth: 0 }
    const { on, values } = parameter
    const parent = visit(on, [...path, name])
    const axis = axisOf(on, innerOf(definition[on]!))
    for (const value of values)
      if (!axis.holds(value))
        throw new ConfigError(`The condition of '${name}' can never hold: '${on}' has no such value.`, {
          received: value,
        })
    const texts = values.map((value) => JSON.stringify(value))
    return {
      active: (params) => on in params && texts.includes(JSON.stringify(params[on])),
      key: `${parent.key}|${on}=${texts.join()}`,
      depth: parent.depth + 1,
    }
  }
  for (const [name, parameter] of Object.entries(definition)) {
    const { active, key, depth } = visit(name, [])
    const group = groups.get(key) ?? { axes: [], active, depth }
    group.axes.push(axisOf(name, innerOf(parameter)))
    groups.set(key, group)
  }
  return [...groups.values()].sort((a, b) => a.depth - b.depth)
}

const innerOf = (parameter: Parameter) => (parameter.kind === 'conditional' ? parameter.parameter : parameter)

function parameterOf(definition: SpaceDefinition, name: string, asker: string | undefined): Parameter {
  const parameter: unknown = definition[name]
  if (parameter === undefined)
    throw new ConfigError(`The condition of '${asker}' is on '${name}', which the search space does not have.`, {
      expected: `one of ${Object.keys(definition).join(', ')}`,
      received: name,
      remedy: didYouMean(name, Object.keys(definition)),
    })
  const kind = typeof parameter === 'object' && parameter !== null && 'kind' in parameter ? parameter.kind : undefined
  if (kind !== 'number' && kind !== 'choice' && kind !== 'conditional')
    throw new ConfigError(`'${name}' of the search space is not a parameter.`, {
      expected: 'uniform, logUniform, intUniform, choice or conditional',
      received: parameter,
      remedy: 'Leave a value that never changes out of the space',
    })
  return parameter as Parameter
}
