/** Chat templates in the manner of the common families, where they may lie, and templates that mean no good. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasChatTemplate, renderChat, writeTime } from '../../src/main/engine/lm/chat'
import type { ChatMessage } from '../../src/shared/contract/lm'

let parent: string
let folder: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'monoscope-chat-'))
  folder = join(parent, 'a-model')
  await mkdir(folder)
})
afterEach(() => rm(parent, { recursive: true, force: true }))

const put = (file: string, content: unknown) =>
  writeFile(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))
const putTemplate = (template: unknown, more: object = {}) =>
  put('tokenizer_config.json', { bos_token: '<s>', eos_token: { content: '</s>' }, ...more, chat_template: template })

const user = (content: string): ChatMessage => ({ role: 'user', content })
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content })
const system = (content: string): ChatMessage => ({ role: 'system', content })
const render = (...messages: ChatMessage[]) => renderChat(folder, messages)

/** The reason a template gives, without the sentence around it. */
const reasonOf = (...messages: ChatMessage[]): Promise<unknown> =>
  render(...messages).then(
    () => 'it rendered',
    (error: unknown) => error,
  )
const failed = (reason: string) => ({ code: 'chat-template-failed', details: { model: 'a-model', reason } })

const CHATML = `{% for message in messages %}
<|start|>{{ message.role }}
{{ message['content'] | trim }}<|stop|>
{% endfor %}
{% if add_generation_prompt %}
<|start|>assistant
{% endif %}`

const HEADERS = `{{- bos_token }}
{%- set today = strftime_now("%d %b %Y") if day is not defined else day %}
{%- if messages[0]['role'] == 'system' %}
    {%- set head = messages[0]['content'] %}
    {%- set rest = messages[1:] %}
{%- else %}
    {%- set head = "" %}
    {%- set rest = messages %}
{%- endif %}
{{- "[system]" + head + (" with tools" if tools is not none else "") + "[end]" }}
{%- for message in rest %}
    {{- '[' + message.role + ' ' ~ loop.index0 ~ ']' + message.content + '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '[assistant]' }}{% endif %}`

const NO_SYSTEM = `{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('There is no system role here.') }}{% endif %}
{%- for message in messages %}
{%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must take turns!') }}{% endif %}
{%- set role = 'model' if message.role == 'assistant' else message.role %}
{{- '<turn>' + role + '\\n' + message.content | trim + '</turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<turn>model\\n' }}{% endif %}`

const BRACKETS = `{%- set ns = namespace(system='') -%}
{{- bos_token -}}
{%- for message in messages -%}
  {%- if message.role == 'system' -%}{%- set ns.system = message.content + '\\n\\n' -%}
  {%- elif message.role == 'user' -%}{{ '[ASK] ' + ns.system + message.content + ' [/ASK]' }}{%- set ns.system = '' -%}
  {%- else -%}{{ ' ' + message.content + eos_token }}
  {%- endif -%}
{%- endfor -%}`

describe('templates in the manner of', () => {
  it('ChatML (Qwen)', async () => {
    await putTemplate(CHATML)
    expect(await render(system('Be brief.'), user(' 안녕 🦊 '))).toBe(
      '<|start|>system\nBe brief.<|stop|>\n<|start|>user\n안녕 🦊<|stop|>\n<|start|>assistant\n',
    )
  })
  it('Llama 3', async () => {
    await putTemplate(HEADERS)
    expect(await render(user('a'), assistant('b'), user('c'))).toBe(
      '<s>[system][end][user 0]a[end][assistant 1]b[end][user 2]c[end][assistant]',
    )
    expect(await render(system('S'), user('a'))).toBe('<s>[system]S[end][user 0]a[end][assistant]')
  })
  it('Gemma, which has no system role', async () => {
    await putTemplate(NO_SYSTEM)
    expect(await render(user('a'), assistant('b '), user('c'))).toBe(
      '<s><turn>user\na</turn>\n<turn>model\nb</turn>\n<turn>user\nc</turn>\n<turn>model\n',
    )
    expect(await reasonOf(system('S'), user('a'))).toMatchObject(failed('There is no system role here'))
    expect(await reasonOf(user('a'), user('b'))).toMatchObject({
      ...failed('Roles must take turns'),
      message:
        'The chat template of a-model cannot write these messages: Roles must take turns. Change the order of the messages, or use plain text.',
    })
  })
  it('Mistral', async () => {
    await putTemplate(BRACKETS)
    expect(await render(system('S'), user('a'), assistant('b'), user('c'))).toBe(
      '<s>[ASK] S\n\na [/ASK] b</s>[ASK] c [/ASK]',
    )
  })
})

describe('a template', () => {
  it('may be one of several, in a file of its own, or in an older file', async () => {
    expect(await hasChatTemplate(folder)).toBe(false)
    await put('chat_template.json', { chat_template: 'old' })
    expect(await render(user('a'))).toBe('old')
    await putTemplate([
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'plain' },
    ])
    expect(await render(user('a'))).toBe('plain')
    await put('chat_template.jinja', 'own {{ eos_token }}')
    expect(await render(user('a'))).toBe('own </s>')
    expect(await hasChatTemplate(folder)).toBe(true)
  })
  it('may be missing', async () => {
    await putTemplate([{ name: 'rag', template: 'x' }])
    expect(await hasChatTemplate(folder)).toBe(false)
    await expect(render(user('a'))).rejects.toThrow('The model a-model has no chat template. Ask it with plain text.')
  })
  it('finds special tokens undefined where the tokenizer has none', async () => {
    await put('tokenizer_config.json', {
      bos_token: null,
      chat_template: "{{ bos_token }}|{{ 'no' if eos_token is not defined }}",
    })
    expect(await render(user('a'))).toBe('|no')
  })
  it('may ask for the date, which is written in English', async () => {
    await putTemplate("{{ strftime_now('%Y-%m-%d %H:%M:%S %%') }}|{{ strftime_now('%A %a %B %b') }}")
    const [numbers, names] = (await render(user('a'))).split('|')
    expect(numbers).toMatch(/^\d{4}-[01]\d-[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d %$/)
    expect(names).toMatch(/^[A-Z][a-z]+day [A-Z][a-z]{2} [A-Z][a-z]+ [A-Z][a-z]{2}$/)
  })
  it('writes every part of a time that it knows as Python does', () => {
    const at = new Date(2026, 1, 3, 15, 4, 5)
    const known = '%Y %y %m %-m %d %-d %e %j %u %w %h %b %B %a %A %H %-H %I %-I %p %M %S %F %T %R %D %%'
    expect(writeTime(known, at)).toBe(
      '2026 26 02 2 03 3  3 034 2 2 Feb Feb February Tue Tuesday 15 15 03 3 PM 04 05 2026-02-03 15:04:05 15:04 02/03/26 %',
    )
    expect(writeTime('%I %p', new Date(2026, 11, 31, 0, 0))).toBe('12 AM')
  })
  it.each(['%q', '%', '%-q', '%Z'])(
    'refuses a template with a part of a time that it does not know: %s',
    async (part) => {
      await putTemplate(`{{ strftime_now('${part}') }}`)
      await expect(render(user('a'))).rejects.toMatchObject(
        failed(`it writes the time as ${part}, which is not known here`),
      )
    },
  )
  it('has every special token that the files name, under its name, and no other', async () => {
    const named = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask', 'image'].map((name) => `${name}_token`)
    const template = named.map((name) => `${name}={{ ${name} if ${name} is defined else '-' }}`).join('|')
    await putTemplate(`${template}|{{ additional_special_tokens | join(',') }}`, {
      ...{ pad_token: '</s>', unk_token: { content: '<unk>' }, mask_token: null },
      ...{ additional_special_tokens: ['<a>', { content: '<b>' }], extra_special_tokens: { image_token: '<image>' } },
    })
    await put('special_tokens_map.json', { sep_token: '<sep>', pad_token: '<other>' })
    expect(await render(user('a'))).toBe(
      'bos_token=<s>|eos_token=</s>|unk_token=<unk>|sep_token=<sep>|pad_token=</s>|cls_token=-|mask_token=-|image_token=<image>|<a>,<b>',
    )
  })
  it('counts as Python does', async () => {
    await putTemplate(
      "{{ range(3) | join(',') }} {{ range(1, 8, 3) | join(',') }} {{ range(2, -3, -2) | join(',') }} {{ range(5, 1) | length }}",
    )
    expect(await render(user('a'))).toBe('0,1,2 1,4,7 2,0,-2 0')
  })
  it('cannot reach the language it runs in', async () => {
    await putTemplate("{{ messages[0].constructor }}|{{ process }}|{{ globalThis }}|{{ messages[0]['__proto__'] }}")
    expect(await render(user('a'))).toBe('|||')
  })
  it.each([
    ['does not parse', '{% for x in %}', /./],
    ['has an unknown filter', '{{ messages | explode }}', /./],
    ['counts on and on', '{% for i in range(1000000000) %}{% endfor %}', /^it counts further than 100,000$/],
    ['counts by nothing', '{{ range(0, 5, 0) }}', /^it counts further than 100,000$/],
    [
      'loops in loops',
      '{% for i in range(1000) %}{% for j in range(1000) %}{% set x = j %}{% endfor %}{% endfor %}',
      /^it takes more than 200,000 steps$/,
    ],
    [
      'doubles a text',
      "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
      /^it writes more than 1,000,001 characters$/,
    ],
    [
      'doubles a list',
      '{% set ns = namespace(s=[1,2,3,4]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}',
      /^it makes a list of more than 100,000 values$/,
    ],
    ['writes on and on', '{% for i in range(60000) %}twenty characters...{% endfor %}', /^it writes more than/],
    ['nests without end', `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`, /call stack/],
    [
      'holds itself many times over',
      '{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}',
      /^(it takes longer than 3 seconds|Invalid string length)$/,
    ],
  ])('that %s fails with a sentence', async (_, template, reason) => {
    await putTemplate(template)
    const error = await reasonOf(user('a'))
    expect(error).toMatchObject({ code: 'chat-template-failed' })
    expect((error as { details: { reason: string } }).details.reason).toMatch(reason)
  })
  it('of absurd length is not read', async () => {
    await put('chat_template.jinja', 'x'.repeat(1024 * 1024 + 1))
    await expect(render(user('a'))).rejects.toMatchObject({ code: 'file-corrupt' })
  })
})
