// Exchanges of classes that the distribution of the labels cannot notice.
#pragma once

#include "audit/audit_images.h"
#include "audit/labels.h"
#include "core/json.h"

namespace torsor {

/// {"a", "b": [{"class", "count", "exchangeable": [names]}]}: two classes of a domain could be exchanged
/// where their frequencies agree within sampling error: of their groups of images together about half are of
/// either (the 95 % interval of a fair coin). An image without label counts nowhere, a group once for each
/// class that it has. Classes without images are left out.
Json exchangeable_classes(const AuditLabels& labels, const AuditImages& a, const AuditImages& b);

}  // namespace torsor
