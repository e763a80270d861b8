import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take long though they are short to read. A fresh clone knows no durations and goes by size, so that one of these would run last, alone. */
const LONG =
  /\/(?:converge|realtime-dev|browser|kill|soak|embedded|process|external-broker|real-broker|binding-answers|model)\.test\.ts$/;

/** Starts the long files of each group first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
