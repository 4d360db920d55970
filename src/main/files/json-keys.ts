/** Finds keys that a JSON object names twice, which JSON.parse would silently merge. */

/** First key of the outermost object that occurs twice, or null. `text` must be valid JSON. */
export function duplicateKey(text: string): string | null {
  const seen = new Set<string>()
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    else if (char === '"') {
      const start = at
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
      let next = at + 1
      while (text.charCodeAt(next) <= 0x20) next++
      if (depth !== 1 || text[next] !== ':') continue
      const key: unknown = JSON.parse(text.slice(start, at + 1))
      if (seen.has(String(key))) return String(key)
      seen.add(String(key))
    }
  }
  return null
}
