/** `⌘` where the keyboard has it, `Ctrl` elsewhere. */
export const MOD = /mac|iphone|ipad/i.test(navigator.platform) ? '⌘' : 'Ctrl '
