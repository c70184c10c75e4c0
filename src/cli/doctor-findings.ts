/** What the doctor found at one place, and what to do about it. */
export interface Diagnosis {
  check: string;
  level: 'ok' | 'warning' | 'error';
  message: string;
  hint?: string;
}

export const ok = (check: string, message: string): Diagnosis => ({ check, level: 'ok', message });
export const warning = (check: string, message: string, hint?: string): Diagnosis => ({
  check,
  level: 'warning',
  message,
  hint,
});
export const failure = (check: string, message: string, hint?: string): Diagnosis => ({
  check,
  level: 'error',
  message,
  hint,
});
