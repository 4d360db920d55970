/** Sentences of errors of the wire between interface and program: what was asked cannot be taken. Part of the list in errors.ts. */

export const WIRE_SENTENCES = {
  'invalid-input': {
    en: 'The request {name} is not valid: {reason}. Correct the value and send it again.',
    ko: '{name} 요청이 올바르지 않습니다: {reason}. 값을 고쳐 다시 보내세요.',
  },
  'text-too-long': {
    en: 'The text given as {what} is longer than the {limit} characters allowed. Shorten it; nothing was changed.',
    ko: '{what}(으)로 준 텍스트가 허용된 {limit}자보다 깁니다. 줄여서 다시 보내세요. 바뀐 것은 없습니다.',
  },
  'unknown-call': {
    en: 'There is no call named {name}. Update the program that asked.',
    ko: '{name}(이)라는 호출은 없습니다. 요청한 프로그램을 업데이트하세요.',
  },
  'connection-lost': {
    en: 'The connection to Monoscope was lost. It reconnects by itself; repeat the last action if it did not take effect.',
    ko: 'Monoscope와 연결이 끊겼습니다. 자동으로 다시 연결합니다. 마지막 동작이 반영되지 않았으면 다시 하세요.',
  },
} as const satisfies Record<string, { en: string; ko: string }>
