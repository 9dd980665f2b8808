/** Run as a process of its own: adds a key to a catalogue that another process has open. */
import { openDatabase } from '../../src/store/database.ts'
import { Sources } from '../../src/store/sources.ts'

const [path = '', source = '', address = ''] = process.argv.slice(2)
const database = openDatabase(path)
const sources = new Sources(database)
process.stdout.write('open\n')
sources.addKey(source, `0x${address.slice(2)}`, 1)
database.close()
