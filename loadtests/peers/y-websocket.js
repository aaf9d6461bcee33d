// The stock y-websocket server, on PORT; with YPERSISTENCE it keeps updates in LevelDB.
// Imported by its path: the package does not export its server.
import './collect.js'

process.env.HOST = '127.0.0.1'
await import('./node_modules/@y/websocket-server/src/server.js')
