import type { Context } from './context.ts';
import type { ExporterCounters } from './counters.ts';
import type { TemplateTotal } from './exporter-state.ts';
import type { Template } from './template.ts';

/** Templates that one exporter may have, and all together; past the second each has to give one for a new one. */
const MOST_TEMPLATES = 4096;
const MOST_OF_ALL = 32_768;

/** Keeps the templates of every exporter and observation domain: bounded, with a lifetime. */
export class TemplateBook {
  readonly #lifetimeUs: number;
  readonly #counters: ExporterCounters;
  readonly #total: TemplateTotal;

  constructor(lifetimeUs: number, total: TemplateTotal, counters: ExporterCounters) {
    this.#total = total;
    this.#lifetimeUs = lifetimeUs;
    this.#counters = counters;
  }

  /** The template of a data set, null while nobody announced it. */
  find(context: Context, id: number): Template | null {
    const template = context.domain.templates.get(id);
    if (template === undefined) return null;
    if (context.receivedUs - template.seenUs <= this.#lifetimeUs) return template;
    this.withdraw(context, id);
    this.#counters.templatesExpired.value++;
    return null;
  }

  /**
   * Makes a template known. The same bytes again only prolong its life.
   * @param raw the template record as it came, of which a copy is kept
   */
  announce(context: Context, template: Template, raw: Uint8Array): Template {
    const { exporter, domain } = context;
    const known = domain.templates.get(template.id);
    if (known !== undefined) {
      if (known.isOptions === template.isOptions && sameBytes(known.raw, raw)) {
        known.seenUs = context.receivedUs;
        exporter.remember(known, domain);
        return known;
      }
      exporter.forget(known);
    }
    template.raw = raw.slice();
    template.seenUs = context.receivedUs;
    domain.templates.set(template.id, template);
    exporter.remember(template, domain);
    this.#bound(context);
    return template;
  }

  withdraw(context: Context, id: number): void {
    const template = context.domain.templates.get(id);
    if (template === undefined) return;
    context.domain.templates.delete(id);
    context.exporter.forget(template);
  }

  #bound({ exporter }: Context): void {
    const { size } = exporter.announced;
    if (size <= MOST_TEMPLATES && (this.#total.value <= MOST_OF_ALL || size === 1)) return;
    const [[template, domain]] = exporter.announced;
    exporter.forget(template);
    if (domain.templates.get(template.id) === template) domain.templates.delete(template.id);
    this.#counters.templatesFull.value++;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
