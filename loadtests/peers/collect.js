// Garbage is collected when asked for (`node --expose-gc`), so that memory is measured without it.
process.on('SIGUSR2', () => globalThis.gc())
