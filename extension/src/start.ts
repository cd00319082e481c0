/** QCrBox stands before notebooks and consoles on Lab's start page; Lab gives these 0 and 20. */
export const START_RANK = -10;
