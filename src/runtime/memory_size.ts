export function parseMemorySize(text: string): number | undefined { return /^[0-9]+$/.test(text) ? Number(text) : undefined; }
