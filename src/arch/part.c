/* What is the same of a part in all families. */
#include "arch/part.h"

#define INFO(part, role, tail, hf, gguf) [HLMI_PART_##part] = {role, tail, {hf, gguf}},
const hlmi_part_info hlmi_part_infos[HLMI_PARTS] = {HLMI_PARTS_ARE(INFO)};
