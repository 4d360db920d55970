/** Sentences of errors about the workspace's database and its owner. Part of the list in errors.ts. */

export const WORKSPACE_SENTENCES = {
  'workspace-damaged': {
    en: 'The database {path} is damaged: {reason}. Nothing was changed. Run "monoscope repair --workspace" with its folder; it keeps the damaged file and takes over all that can be read.',
    ko: '데이터베이스 {path}이(가) 손상되었습니다: {reason}. 바뀐 것은 없습니다. 그 폴더로 "monoscope repair --workspace"를 실행하세요. 손상된 파일은 보관하고 읽을 수 있는 것은 모두 옮깁니다.',
  },
  'workspace-unreadable': {
    en: 'The system could not read or write the database {path}: {reason}. Check the disk, then try again; nothing acknowledged is lost.',
    ko: '시스템이 데이터베이스 {path}을(를) 읽거나 쓰지 못했습니다: {reason}. 디스크를 확인하고 다시 시도하세요. 저장되었다고 알린 것은 남아 있습니다.',
  },
  'workspace-elsewhere': {
    en: 'The workspace {path} is open on another computer or in another container ({host}, process {pid}). Close it there; if nothing runs there any more, delete {lock}.',
    ko: '작업 공간 {path}은(는) 다른 컴퓨터나 컨테이너({host}, 프로세스 {pid})에서 열려 있습니다. 그쪽에서 닫으세요. 그쪽에 더는 실행 중인 것이 없으면 {lock}을(를) 지우세요.',
  },
  'workspace-sound': {
    en: 'The database {path} is not damaged. There is nothing to repair.',
    ko: '데이터베이스 {path}은(는) 손상되지 않았습니다. 복구할 것이 없습니다.',
  },
} as const satisfies Record<string, { en: string; ko: string }>
