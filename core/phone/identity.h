/* SPDX-License-Identifier: MIT */
/*
 * Who the phone is: what it names in its SUBSCRIBE and in the names of the files it asks for. The
 * spans belong to the caller and outlive whatever is given a copy of this.
 */
#ifndef BELLHOP_CORE_PHONE_IDENTITY_H
#define BELLHOP_CORE_PHONE_IDENTITY_H

#include "core/base/mac.h"

struct phone_identity {
	struct mac mac;
	struct span model;   /* as the maker writes it, e.g. 440HD */
	struct span version; /* of the running firmware, e.g. 2.2.2 */
	bool mac_is_lower;   /* <MAC> and <MAC>.cfg in lower case; the phones write upper case */
};

#endif
