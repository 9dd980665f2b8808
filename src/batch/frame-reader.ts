import { VerificationError } from '../errors.ts'
import { type FlowRecord, factsOf, openPseudonyms, type RecordFacts, textOf } from '../record/index.ts'
import { FRAME_RECORDS } from './frames.ts'
import { decodeLine } from './item.ts'
import { LineScan } from './line-scan.ts'
import { RecordHasher, type RecordHashes } from './prepared.ts'

const LINE_FEED = 0x0a
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Told of each record in its turn.
 *
 * @param record itself, where it had to be parsed: always, but for the types of which there are many
 * @param textOf tells, until the next record, a text member of `data`
 */
export type RecordListener = (
  facts: RecordFacts,
  record: FlowRecord | undefined,
  textOf: (name: string) => string | undefined,
) => void

/** Reads the records of a batch out of the text of its frames, and hashes what its trees need of them. */
export class FrameReader {
  readonly #onRecord: RecordListener
  readonly #line = new LineScan()
  readonly #textOfLine = (name: string) => this.#line.textOf(name)
  readonly #hasher = new RecordHasher()

  constructor(onRecord: RecordListener) {
    this.#onRecord = onRecord
  }

  /** records */
  get count(): number {
    return this.#hasher.count
  }

  /**
   * Reads the lines of the next frame, each of which ends with a line feed.
   *
   * @throws {VerificationError} `MALFORMED_RECORD` or `BAD_DISCLOSURE` for a line that is no item of a batch;
   *   `BATCH_MISMATCH` where the frame does not hold as many lines as it should
   */
  read(text: Uint8Array, isLast: boolean): void {
    let lines = 0
    for (let start = 0; start < text.length; lines++) {
      const end = text.indexOf(LINE_FEED, start)
      // Otherwise a position would lead to another line than its record's.
      if (end === -1 || lines === FRAME_RECORDS) throw wrongFrame()
      this.#readLine(text, start, end)
      start = end + 1
    }
    if (lines === 0 || (!isLast && lines < FRAME_RECORDS)) throw wrongFrame()
  }

  finish(): RecordHashes {
    return this.#hasher.finish()
  }

  #readLine(text: Uint8Array, start: number, end: number): void {
    if (this.#line.read(text, start, end)) {
      this.#hasher.addLine(text, this.#line)
      this.#onRecord(this.#line.facts(), undefined, this.#textOfLine)
      return
    }
    const { item, text: recordText } = decodeLine(decodeUtf8(text.subarray(start, end)))
    this.#hasher.add(item, openPseudonyms(item.record, item.disclosures), recordText)
    this.#onRecord(factsOf(item.record), item.record, (name) => textOf(item.record, name))
  }
}

function decodeUtf8(line: Uint8Array): string {
  try {
    return decoder.decode(line)
  } catch (cause) {
    throw new VerificationError('MALFORMED_RECORD', 'a line of the batch is not UTF-8', { cause })
  }
}

const wrongFrame = () =>
  new VerificationError('BATCH_MISMATCH', 'a frame of the records does not have its 256 lines')
