/** The cases of `dcml bench data`. @module */

import { csvCase } from './csv.js'
import { robustCase, rocAucCase, standardizeCase } from './sklearn.js'

/** A piece of work on data, done by dcml and by another. */
export interface DataCase {
  name: string
  /** For the help: the work, with its size. */
  work: string
  /** Who else does it. */
  over: string
  /** Speed of dcml over that of the other that is to be reached. */
  atLeast: number
  /** Makes the data. */
  prepare(): Promise<Contest | { skipped: string }>
}

/** Data that both take. */
export interface Contest {
  /** Does the work once. Seconds that it took, without start-up; or why there is no figure. */
  dcml: () => Promise<Turn>
  other: () => Promise<Turn>
  close?: () => Promise<void>
}

/** One turn of a contender: seconds, or what went wrong. */
export type Turn = number | { error: string }

/** All cases, in the order of the table. */
export const dataCases: readonly DataCase[] = [csvCase, standardizeCase, robustCase, rocAucCase]
