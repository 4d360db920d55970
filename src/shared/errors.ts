/**
 * The one error type that crosses the wire, its closed list of codes, and the sentence of each code in both languages.
 * A sentence states the fact and the fix; `{name}` is replaced by `details.name`.
 */
import { ACTIVATION_SENTENCES } from './errors-activations'
import { FEATURE_SENTENCES } from './errors-features'
import { HUB_SENTENCES } from './errors-hub'
import { MODEL_SENTENCES } from './errors-models'
import { WORKSPACE_SENTENCES } from './errors-workspace'
import { WIRE_SENTENCES } from './errors-wire'

type Sentence = { en: string; ko: string }

export const ERROR_SENTENCES = {
  // Files
  'file-missing': {
    en: 'The file {path} does not exist. Check the path, or copy the file back.',
    ko: '{path} 파일이 없습니다. 경로를 확인하거나 파일을 되돌려 놓으세요.',
  },
  'file-unreadable': {
    en: 'The file {path} cannot be read: {reason}. Check its permissions.',
    ko: '{path} 파일을 읽을 수 없습니다: {reason}. 권한을 확인하세요.',
  },
  'file-truncated': {
    en: 'The file {path} ends early: its header promises {expected} bytes and {actual} are there. Copy or download it again.',
    ko: '{path} 파일이 중간에 끝납니다: 헤더에는 {expected}바이트인데 {actual}바이트만 있습니다. 다시 복사하거나 내려받으세요.',
  },
  'file-corrupt': {
    en: 'The file {path} is not a valid {format} file: {reason}. Copy or download it again.',
    ko: '{path} 파일은 올바른 {format} 파일이 아닙니다: {reason}. 다시 복사하거나 내려받으세요.',
  },
  'disk-full': {
    en: 'The disk is full: {path} could not be written. Free some space and try again; everything saved before is kept.',
    ko: '디스크가 가득 차서 {path}에 쓰지 못했습니다. 공간을 비우고 다시 시도하세요. 이미 저장된 것은 그대로 있습니다.',
  },
  // Models and datasets
  'demo-missing': {
    en: 'The bundled demo is not in {path}. Install the program again, or add a model and a text of your own.',
    ko: '{path}에 함께 제공되는 데모가 없습니다. 프로그램을 다시 설치하거나 직접 모델과 글을 추가하세요.',
  },
  'model-config-invalid': {
    en: 'The file {path} does not describe a model: {reason}. Take config.json from the place the weights came from.',
    ko: '{path} 파일이 모델을 설명하지 않습니다: {reason}. 가중치를 받은 곳의 config.json을 쓰세요.',
  },
  'model-tensor-missing': {
    en: 'The weights in {path} lack {count} tensors, the first is {tensor}. Add the missing safetensors files to the folder.',
    ko: '{path}의 가중치에 텐서 {count}개가 없습니다. 첫 번째는 {tensor}입니다. 빠진 safetensors 파일을 폴더에 넣으세요.',
  },
  'model-tensor-shape': {
    en: 'The tensor {tensor} has shape [{actual}], but config.json asks for [{expected}]. Weights and config must come from one model.',
    ko: '텐서 {tensor}의 모양은 [{actual}]인데 config.json은 [{expected}]을(를) 요구합니다. 가중치와 설정이 같은 모델의 것이어야 합니다.',
  },
  'tokenizer-missing': {
    en: 'The folder {path} has no tokenizer.json. Add the tokenizer.json of this model.',
    ko: '{path} 폴더에 tokenizer.json이 없습니다. 이 모델의 tokenizer.json을 넣으세요.',
  },
  'tokenizer-mismatch': {
    en: 'The tokenizer has ids up to {largest}, but the model knows only {vocabulary}. Use the tokenizer.json that belongs to this model.',
    ko: '토크나이저의 id는 {largest}까지인데 모델의 어휘는 {vocabulary}개입니다. 이 모델의 tokenizer.json을 쓰세요.',
  },
  'dataset-empty': {
    en: 'The file {path} holds no text. Choose a file with at least one document.',
    ko: '{path} 파일에 글이 없습니다. 문서가 하나 이상 있는 파일을 고르세요.',
  },
  'dataset-binary': {
    en: 'The file {path} is not text: byte {offset} is not valid UTF-8. Choose a UTF-8 text or JSONL file.',
    ko: '{path} 파일은 글이 아닙니다: {offset}번째 바이트가 올바른 UTF-8이 아닙니다. UTF-8 텍스트나 JSONL 파일을 고르세요.',
  },
  'dataset-line-invalid': {
    en: 'Line {line} of {path} is not a JSON object with a text in "{field}". Correct the line or choose another field.',
    ko: '{path}의 {line}번째 줄은 "{field}"에 글이 있는 JSON 객체가 아닙니다. 줄을 고치거나 다른 필드를 고르세요.',
  },
  'dataset-too-small': {
    en: 'The dataset has {tokens} usable tokens in all; training needs at least {needed}, beside those that are kept apart to judge the result by. Add more text or lower the batch size.',
    ko: '데이터셋에서 쓸 수 있는 토큰은 모두 {tokens}개인데, 결과를 평가하려고 따로 두는 것 말고도 학습에 {needed}개 이상 필요합니다. 글을 더 넣거나 배치를 줄이세요.',
  },
  'model-too-large': {
    en: 'This model needs {needed} of memory when loaded and {free} is free. Close other programs, or take a smaller model.',
    ko: '이 모델을 올리려면 메모리 {needed}가 필요한데 {free}가 남아 있습니다. 다른 프로그램을 닫거나 더 작은 모델을 쓰세요.',
  },
  'model-too-large-wasm': {
    en: 'This model needs {needed} of memory when loaded, and the WebAssembly backend holds {limit} at most. Set up the TensorFlow backend, or take a smaller model.',
    ko: '이 모델을 올리려면 메모리 {needed}가 필요한데 WebAssembly 백엔드는 {limit}까지만 담을 수 있습니다. TensorFlow 백엔드를 설치하거나 더 작은 모델을 쓰세요.',
  },
  'model-tensor-too-large': {
    en: 'The tensor {tensor} has {elements} elements, and {limit} is the most that can be computed with. Take a smaller model.',
    ko: '텐서 {tensor}의 원소가 {elements}개인데 계산할 수 있는 것은 {limit}개까지입니다. 더 작은 모델을 쓰세요.',
  },
  'model-heads-invalid': {
    en: 'The file {path} gives its model heads that cannot be: {reason}. Take config.json from the place the weights came from.',
    ko: '{path} 파일의 어텐션 헤드 설정이 맞지 않습니다: {reason}. 가중치를 받은 곳의 config.json을 쓰세요.',
  },
  'weights-header-too-long': {
    en: 'The weight file {path} says its header is {promised} bytes long, but the file has {actual}. Copy or download it again.',
    ko: '가중치 파일 {path}의 헤더 길이가 {promised}바이트로 적혀 있는데 파일은 {actual}바이트입니다. 다시 복사하거나 내려받으세요.',
  },
  'weights-overlap': {
    en: 'In the weight file {path} the tensors {first} and {second} share bytes. Copy or download it again.',
    ko: '가중치 파일 {path}에서 텐서 {first}와(과) {second}이(가) 같은 바이트를 씁니다. 다시 복사하거나 내려받으세요.',
  },
  'weights-shape-absurd': {
    en: 'In the weight file {path} the tensor {tensor} has the shape [{shape}], which does not fit its {bytes} bytes. Copy or download it again.',
    ko: '가중치 파일 {path}의 텐서 {tensor}의 모양 [{shape}]이(가) 그 {bytes}바이트와 맞지 않습니다. 다시 복사하거나 내려받으세요.',
  },
  'chat-template-missing': {
    en: 'The model {model} has no chat template. Ask it with plain text.',
    ko: '모델 {model}에는 대화 템플릿이 없습니다. 일반 글로 물어보세요.',
  },
  'chat-template-failed': {
    en: 'The chat template of {model} cannot write these messages: {reason}. Change the order of the messages, or use plain text.',
    ko: '{model}의 대화 템플릿이 이 메시지들을 쓰지 못합니다: {reason}. 메시지 순서를 바꾸거나 일반 글을 쓰세요.',
  },
  'dataset-column-missing': {
    en: 'The file {path} has no text in a column "{field}". Its columns: {columns}.',
    ko: '{path} 파일에는 글이 든 "{field}" 열이 없습니다. 있는 열: {columns}.',
  },
  'dataset-row-invalid': {
    en: 'Row {row} of {path} cannot be read: {reason}. Correct the row, or export the file again.',
    ko: '{path}의 {row}번째 행을 읽을 수 없습니다: {reason}. 행을 고치거나 파일을 다시 내보내세요.',
  },
  'dataset-files-missing': {
    en: 'The folder {path} has no text, JSONL, CSV or Parquet file. Choose another folder.',
    ko: '{path} 폴더에 텍스트, JSONL, CSV, Parquet 파일이 없습니다. 다른 폴더를 고르세요.',
  },
  'dataset-files-many': {
    en: 'The folder {path} brings the dataset above {limit} files. Choose a folder with fewer, or join them.',
    ko: '{path} 폴더에서 데이터셋의 파일이 {limit}개를 넘었습니다. 파일이 더 적은 폴더를 고르거나 파일을 합치세요.',
  },
  ...FEATURE_SENTENCES,
  ...HUB_SENTENCES,
  ...MODEL_SENTENCES,
  ...WORKSPACE_SENTENCES,
  // Training and reading
  'sae-invalid': {
    en: 'The folder {path} holds no usable autoencoder: {reason}. Choose a SAELens folder with cfg.json and sae_weights.safetensors.',
    ko: '{path} 폴더에는 쓸 수 있는 오토인코더가 없습니다: {reason}. cfg.json과 sae_weights.safetensors가 있는 SAELens 폴더를 고르세요.',
  },
  'hook-unknown': {
    en: 'The hook point {hookName} does not exist in this model. Use one of blocks.0 to blocks.{lastLayer} with hook_resid_pre, hook_resid_mid or hook_resid_post.',
    ko: '이 모델에는 후크 지점 {hookName}이(가) 없습니다. blocks.0부터 blocks.{lastLayer}까지의 hook_resid_pre, hook_resid_mid, hook_resid_post 중에서 고르세요.',
  },
  'hook-absent': {
    en: 'The hook point {hookName} does not exist in this model: its attention and MLP work side by side, so nothing lies between them. Use hook_resid_pre or hook_resid_post.',
    ko: '이 모델에는 후크 지점 {hookName}이(가) 없습니다. 어텐션과 MLP가 나란히 계산되어 그 사이의 값이 없습니다. hook_resid_pre나 hook_resid_post를 고르세요.',
  },
  'training-diverged': {
    en: 'The loss stopped being a number at step {step}. Start again with a smaller learning rate; the last checkpoint is kept.',
    ko: '{step}단계에서 손실이 숫자가 아니게 되었습니다. 학습률을 줄여 다시 시작하세요. 마지막 체크포인트는 남아 있습니다.',
  },
  'k-too-large': {
    en: 'k is {k}, but the dictionary has only {dSae} features. Choose a smaller k or a wider dictionary.',
    ko: 'k가 {k}인데 사전의 특성은 {dSae}개뿐입니다. k를 줄이거나 사전을 넓히세요.',
  },
  'widths-invalid': {
    en: 'The widths {widths} of the nested dictionaries do not fit: they must grow, and the last must be {dSae}.',
    ko: '포개진 사전의 너비 {widths}이(가) 맞지 않습니다. 점점 커져야 하고 마지막은 {dSae}이어야 합니다.',
  },
  'checkpoint-invalid': {
    en: 'The checkpoint {path} cannot be used: {reason}. Start a new run with the same settings.',
    ko: '체크포인트 {path}을(를) 쓸 수 없습니다: {reason}. 같은 설정으로 새 실행을 시작하세요.',
  },
  'checkpoint-other': {
    en: 'The checkpoint {path} belongs to another {what} than the one there is now. Put the former one back, or start a new run.',
    ko: '체크포인트 {path}은(는) 지금과 다른 {what}의 것입니다. 예전 것으로 되돌리거나 새 실행을 시작하세요.',
  },
  'run-not-resumable': {
    en: 'Run {id} is {state} and cannot be resumed. Only a run that was stopped, cut off or failed can.',
    ko: '실행 {id}의 상태는 {state}이어서 이어서 학습할 수 없습니다. 멈췄거나 끊겼거나 실패한 실행만 이어서 학습할 수 있습니다.',
  },
  'checkpoint-missing': {
    en: 'Run {id} has no checkpoint to go on from. Start a new run with the same settings.',
    ko: '실행 {id}에는 이어서 학습할 체크포인트가 없습니다. 같은 설정으로 새 실행을 시작하세요.',
  },
  ...ACTIVATION_SENTENCES,
  'prompt-empty': {
    en: 'A prompt is empty. Write some text in it or remove it.',
    ko: '비어 있는 프롬프트가 있습니다. 글을 쓰거나 지우세요.',
  },
  'prompt-too-long': {
    en: 'A prompt has {tokens} tokens; this model reads {limit} at most. Shorten it.',
    ko: '프롬프트가 토큰 {tokens}개인데 이 모델은 {limit}개까지 읽습니다. 줄여 주세요.',
  },
  // Workspace and store
  'workspace-too-new': {
    en: 'The workspace {path} was written by a newer version (format {found}, this version knows {known}). Update Monoscope; nothing was changed.',
    ko: '작업 공간 {path}은(는) 더 새로운 버전이 썼습니다(형식 {found}, 이 버전은 {known}까지). Monoscope를 업데이트하세요. 바뀐 것은 없습니다.',
  },
  'workspace-busy': {
    en: 'The workspace {path} is open in another process ({pid}) that does not answer. Close it, then try again.',
    ko: '작업 공간 {path}을(를) 응답하지 않는 다른 프로세스({pid})가 열고 있습니다. 그것을 닫고 다시 시도하세요.',
  },
  'workspace-open': {
    en: 'The workspace {path} is already open in another Monoscope ({pid}). Use that one, or close it and try again.',
    ko: '작업 공간 {path}은(는) 이미 다른 Monoscope({pid})가 열고 있습니다. 그쪽을 쓰거나, 닫고 다시 시도하세요.',
  },
  'workspace-unwritable': {
    en: 'The folder {path} cannot be written: {reason}. Choose another folder or change its permissions.',
    ko: '{path} 폴더에 쓸 수 없습니다: {reason}. 다른 폴더를 고르거나 권한을 바꾸세요.',
  },
  'migration-failed': {
    en: 'Updating the workspace to format {version} failed: {reason}. Nothing was changed; a backup is at {backup}.',
    ko: '작업 공간을 형식 {version}(으)로 바꾸지 못했습니다: {reason}. 바뀐 것은 없으며 백업은 {backup}에 있습니다.',
  },
  'not-found': {
    en: 'There is no {what} {id} in this workspace. Refresh the list.',
    ko: '이 작업 공간에 {what} {id}이(가) 없습니다. 목록을 새로 고치세요.',
  },
  'in-use': {
    en: 'The {what} {id} is used by {users}. Remove those first.',
    ko: '{what} {id}은(는) {users}에서 쓰고 있습니다. 먼저 그것을 지우세요.',
  },
  'atlas-missing': {
    en: 'The autoencoder {id} has no feature atlas yet. Build the atlas first.',
    ko: '오토인코더 {id}에는 아직 특징 도감이 없습니다. 먼저 도감을 만드세요.',
  },
  'atlas-text-missing': {
    en: 'The text of the atlas of autoencoder {id} cannot be read from {path}. Build the atlas again; labels and tags stay.',
    ko: '오토인코더 {id}의 도감 본문을 {path}에서 읽을 수 없습니다. 도감을 다시 만드세요. 라벨과 태그는 남습니다.',
  },
  // Jobs
  'worker-crashed': {
    en: 'The worker process stopped unexpectedly ({reason}) after step {step}. Saved checkpoints are kept; start the run again.',
    ko: '작업 프로세스가 {step}단계 뒤에 예기치 않게 멈췄습니다({reason}). 저장된 체크포인트는 남아 있습니다. 실행을 다시 시작하세요.',
  },
  'worker-lost': {
    en: 'The worker process stopped unexpectedly ({reason}) before it could answer. Ask again; it starts anew by itself.',
    ko: '작업 프로세스가 답하기 전에 예기치 않게 멈췄습니다({reason}). 다시 요청하세요. 프로세스는 자동으로 다시 시작합니다.',
  },
  'worker-missing': {
    en: 'The worker could not be started with {path}: {reason}. Install Monoscope again.',
    ko: '{path}(으)로 작업 프로세스를 시작하지 못했습니다: {reason}. Monoscope를 다시 설치하세요.',
  },
  'job-not-running': {
    en: 'The job {id} is not running. Refresh the list.',
    ko: '작업 {id}은(는) 실행 중이 아닙니다. 목록을 새로 고치세요.',
  },
  'backend-unavailable': {
    en: 'The compute backend {backend} cannot be used here: {reason}. Choose another backend or remove MONOSCOPE_BACKEND.',
    ko: '계산 백엔드 {backend}을(를) 여기서 쓸 수 없습니다: {reason}. 다른 백엔드를 고르거나 MONOSCOPE_BACKEND를 지우세요.',
  },
  'port-taken': {
    en: 'The port {port} cannot be used ({reason}). Choose another with --port, or leave it out.',
    ko: '{port}번 포트를 쓸 수 없습니다({reason}). --port로 다른 포트를 고르거나 옵션을 빼세요.',
  },
  ...WIRE_SENTENCES,
  cancelled: { en: 'The request was cancelled.', ko: '요청을 취소했습니다.' },
  internal: {
    en: 'Something failed inside Monoscope: {reason}. Please report it with the log.',
    ko: 'Monoscope 내부에서 오류가 났습니다: {reason}. 로그와 함께 알려 주세요.',
  },
} as const satisfies Record<string, Sentence>

export type ErrorCode = keyof typeof ERROR_SENTENCES
export type ErrorDetails = Record<string, string | number>
export type Language = 'en' | 'ko'

/** An error as it crosses the wire. */
export type Failure = { code: ErrorCode; message: string; details: ErrorDetails }

/** The sentence of a code in one language with its placeholders filled; an unknown placeholder stays visible. */
export function errorSentence(code: ErrorCode, details: ErrorDetails = {}, language: Language = 'en'): string {
  const template: string = ERROR_SENTENCES[code][language]
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = details[name]
    return value === undefined ? whole : typeof value === 'number' ? value.toLocaleString('en-US') : value
  })
}

/** Every expected failure of the program. `details` fill the sentence and give the interface its numbers. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(errorSentence(code, details), options)
    this.name = 'AppError'
    this.code = code
    this.details = details
  }
}

const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(ERROR_SENTENCES, code)

/** Turns anything thrown into the form that crosses the wire; an unexpected error becomes `internal` with its message. */
export function toFailure(error: unknown): Failure {
  if (error instanceof AppError) return { code: error.code, message: error.message, details: error.details }
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'internal', message: errorSentence('internal', { reason }), details: { reason } }
}

/** Rebuilds the error on the other side of the wire; an unknown code of a newer peer becomes `internal`. */
export function fromFailure(failure: { code: string; message: string; details: ErrorDetails }): AppError {
  if (isErrorCode(failure.code)) return new AppError(failure.code, failure.details)
  return new AppError('internal', { reason: failure.message })
}
