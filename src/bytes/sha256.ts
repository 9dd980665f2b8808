import type { Sha256Engine } from './sha256-engine.ts'
import { portableEngine } from './sha256-portable.ts'
import { loadWasmEngine } from './sha256-wasm.ts'

/** The fastest SHA-256 that this place allows. */
export const engine: Sha256Engine = loadWasmEngine() ?? portableEngine

/** SHA-256 of one message (FIPS 180-4): 32 bytes, the caller's own. */
export function sha256(data: Uint8Array): Uint8Array {
  return engine.digest(data)
}
