import type { Context } from './context.ts';
import { SCOPE_PEN } from './elements.ts';
import { hexOf, stringAt, uintAt } from './field-value.ts';
import type { Places } from './row-writer.ts';
import { rateOf } from './sampling.ts';
import type { Template } from './template.ts';

const SCOPE_INTERFACE = 2;

/**
 * Learns from an options record what later flow records leave out: how it samples, when the exporter started, and the
 * names of interfaces, applications and VRFs.
 */
export function learnOptions(template: Template, data: Uint8Array, places: Places, context: Context): void {
  const hints = { interval: 0, space: -1, size: 0, population: 0, rate: 0, probability: 0 };
  let sampler = -1;
  let interfaceIndex = -1;
  let interfaceName = '';
  let vrf = -1;
  let vrfName = '';
  let application = '';
  let applicationName = '';
  for (let i = 0; i < template.fields.length; i++) {
    const { pen, id } = template.fields[i];
    const at = places.at[i];
    const length = places.length[i];
    if (length === 0) continue;
    if (pen === SCOPE_PEN && id === SCOPE_INTERFACE) interfaceIndex = uintAt(data, at, length);
    if (pen !== 0) continue;
    switch (id) {
      case 48:
      case 302:
        sampler = uintAt(data, at, length);
        break;
      case 34:
      case 50:
        hints.rate = uintAt(data, at, length);
        break;
      case 305:
        hints.interval = uintAt(data, at, length);
        break;
      case 306:
        hints.space = uintAt(data, at, length);
        break;
      case 309:
        hints.size = uintAt(data, at, length);
        break;
      case 310:
        hints.population = uintAt(data, at, length);
        break;
      case 311:
        if (length === 8) hints.probability = new DataView(data.buffer, data.byteOffset + at, 8).getFloat64(0);
        break;
      case 160:
        context.domain.bootUs = uintAt(data, at, length) * 1000;
        break;
      case 10:
      case 14:
        interfaceIndex = uintAt(data, at, length);
        break;
      case 82:
        interfaceName = stringAt(data, at, length);
        break;
      case 83:
        interfaceName ||= stringAt(data, at, length);
        break;
      case 234:
      case 235:
        vrf = uintAt(data, at, length);
        break;
      case 236:
        vrfName = stringAt(data, at, length);
        break;
      case 95:
        application = hexOf(data, at, length);
        break;
      case 96:
        applicationName = stringAt(data, at, length);
        break;
    }
  }
  const rate = rateOf(hints);
  context.domain.sampling.learn(sampler, rate);
  // If that was not what its records need, the next one says so.
  if (rate > 0) context.exporter.samplingUnknown = false;
  if (interfaceIndex >= 0 && interfaceName !== '') context.exporter.nameInterface(interfaceIndex, interfaceName);
  if (vrf >= 0 && vrfName !== '') context.exporter.nameVrf(vrf, vrfName);
  if (application !== '' && applicationName !== '') context.exporter.nameApplication(application, applicationName);
}
