/** Chooses the engine of a replica. @module */

import { ConfigError } from '../core/index.js'
import { EagerEngine } from './eager-engine.js'
import type { Engine, EngineChoice } from './engine.js'

/**
 * The engine for a choice. The captured engine is not part of this release: 'auto' runs eagerly and says so.
 *
 * @throws {ConfigError} for an unknown choice, and for 'captured'.
 */
export function createEngine(choice: EngineChoice): Engine {
  switch (choice) {
    case 'eager':
      return new EagerEngine()
    case 'auto':
      return new EagerEngine('The captured engine is not part of this release.')
    case 'captured':
      throw new ConfigError('The captured engine is not part of this release.', {
        expected: "'auto' or 'eager'",
        received: choice,
      })
    default:
      throw new ConfigError('There is no such engine.', { expected: "'auto' or 'eager'", received: choice })
  }
}
