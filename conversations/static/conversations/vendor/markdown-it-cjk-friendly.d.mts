export default function cjkFriendly(markdown: object): void;
