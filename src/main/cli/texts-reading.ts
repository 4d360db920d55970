/** What the command line says of reading texts and of conversations, in both languages. */
import type { Language } from '../../shared/errors'

export const READING_TEXTS = {
  readText: {
    en: '{tokens} tokens, mean loss {nats} nats ({seconds} s)',
    ko: '토큰 {tokens}개, 평균 손실 {nats}내트 ({seconds}초)',
  },
  chatLength: {
    en: 'The answer was cut off at the number of tokens asked for; --tokens gives more.',
    ko: '정해진 토큰 수에서 답이 끊겼습니다. 더 길게 받으려면 --tokens를 늘리세요.',
  },
  chatContext: {
    en: 'The answer was cut off where the context of the model ends. Begin a new conversation.',
    ko: '모델의 문맥이 다 차서 답이 끊겼습니다. 새 대화를 시작하세요.',
  },
} as const satisfies Record<string, Record<Language, string>>
