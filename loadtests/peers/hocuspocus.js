// The stock Hocuspocus server, on PORT, with its SQLite extension in DATA.
import './collect.js'
import { SQLite } from '@hocuspocus/extension-sqlite'
import { Server } from '@hocuspocus/server'

const { PORT, DATA } = process.env
const sqlite = new SQLite({ database: `${DATA}/documents.sqlite` })
await new Server({ address: '127.0.0.1', port: Number(PORT), quiet: true, extensions: [sqlite] }).listen()
